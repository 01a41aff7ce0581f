"""What the pictures of real runs show."""

import numpy as np
import pytest
import torch

from latentlab.training.callbacks.latent_plane import LatentPlane
from latentlab.training.callbacks.picture import validation_codes
from latentlab.training.callbacks.reconstructions import Reconstructions
from latentlab.training.callbacks.samples import Samples
from latentlab.training.callbacks.unit_activity import UnitActivity
from tests.training.callbacks.short_runs import digits, fit_and_test, model_of, trainer_with

ALL = (Reconstructions, Samples, LatentPlane, UnitActivity)


def drawn(callback, variant, tmp_path, latent_dim=4, labels=True):
    """The picture of a fresh model, and the model."""
    data = digits(labels)
    model = model_of(variant, data, latent_dim).eval()
    trainer = trainer_with(tmp_path)
    trainer.datamodule = data
    with torch.no_grad():
        return callback(1).picture(trainer, model), model, data


def shown_image(figure, row, column, size=8):
    """The grey levels of one image of a grid, (H, W) bytes."""
    ticks = figure.axes[0].get_yticks()
    top = round(ticks[row] - (size - 1) / 2) if len(ticks) else row * (size + 1)
    left = column * (size + 1)
    return np.asarray(figure.axes[0].images[0].get_array())[top : top + size, left : left + size, 0]


def as_bytes(image):
    return (image.clamp(0, 1) * 255).round().to(torch.uint8)[0].numpy()


def labels_of(figure):
    return [text.get_text() for text in figure.axes[0].get_yticklabels()]


def subtitle(figure):
    return figure.texts[1].get_text().replace("\n", " ")


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["ae", "denoising", "vae", "cvae"])
def test_every_variant_has_all_pictures_in_its_folder(tmp_path, variant):
    fit_and_test(tmp_path, variant, *(callback(1) for callback in ALL), epochs=2)
    found = {file.stem for file in (tmp_path / "figures").iterdir()}
    assert found == {"reconstructions", "samples", "latent_plane", "unit_activity"}


@pytest.mark.parametrize("variant", ["ae", "vae"])
def test_data_without_labels_has_all_pictures_too(tmp_path, variant):
    fit_and_test(tmp_path, variant, *(callback(1) for callback in ALL), labels=False)
    assert len(list((tmp_path / "figures").iterdir())) == 4


def test_inputs_are_above_their_reconstructions(tmp_path):
    figure, model, data = drawn(Reconstructions, "vae", tmp_path)
    batch = data.showcase(16)
    assert labels_of(figure) == ["input", "output"] * 2
    assert np.array_equal(shown_image(figure, 0, 3), as_bytes(batch.x[3]))
    assert np.array_equal(shown_image(figure, 3, 1), as_bytes(model.reconstruct(batch.x, batch.y)[9]))


def test_a_denoising_model_shows_the_noisy_image_that_it_saw(tmp_path):
    figure, model, data = drawn(Reconstructions, "denoising", tmp_path)
    batch = data.showcase(16)
    noisy = model.corrupt(batch)
    assert labels_of(figure) == ["clean", "noisy", "restored"] * 2
    assert np.array_equal(shown_image(figure, 0, 0), as_bytes(batch.x[0]))
    assert np.array_equal(shown_image(figure, 1, 0), as_bytes(noisy[0]))
    assert np.array_equal(shown_image(figure, 5, 7), as_bytes(model.reconstruct(noisy, batch.y)[15]))


def test_samples_of_a_vae_come_from_its_prior(tmp_path):
    figure, model, _ = drawn(Samples, "vae", tmp_path)
    noise = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    expected = model.decode(noise, torch.zeros(100, dtype=torch.int64))
    assert np.array_equal(shown_image(figure, 2, 7), as_bytes(expected[27]))
    assert subtitle(figure).endswith("100 codes from the prior.")


def test_a_conditional_model_has_a_row_of_samples_for_each_label(tmp_path):
    figure, model, data = drawn(Samples, "cvae", tmp_path)
    noise = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    assert labels_of(figure) == list(data.class_names)
    seven = model.decode(noise[72:73], torch.tensor([7]))
    assert np.array_equal(shown_image(figure, 7, 2), as_bytes(seven[0]))


def test_a_variant_without_a_prior_names_the_source_of_its_samples(tmp_path):
    figure, model, data = drawn(Samples, "ae", tmp_path)
    count = sum(len(batch.y) for batch in data.val_dataloader())
    assert f"a diagonal Gaussian fitted to {count:,} validation codes" in subtitle(figure)
    z = torch.cat([model.encode(batch.x, batch.y).z for batch in data.val_dataloader()])
    noise = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    expected = model.decode(z.mean(0) + z.std(0, correction=0) * noise, torch.zeros(100, dtype=torch.int64))
    assert np.abs(shown_image(figure, 9, 9).astype(int) - as_bytes(expected[99])).max() <= 1


@pytest.mark.parametrize("callback", ALL)
def test_drawing_leaves_the_global_random_state_alone(tmp_path, callback):
    data = digits()
    model = model_of("denoising", data)
    trainer = trainer_with(tmp_path)
    trainer.datamodule = data
    before = torch.get_rng_state()
    callback(1).on_test_end(trainer, model)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("latent_dim", "words"), [(1, "code unit 0"), (2, "code unit 0"), (4, "principal component 1")]
)
def test_the_plane_fits_the_size_of_the_code(tmp_path, latent_dim, words):
    figure, _, data = drawn(LatentPlane, "vae", tmp_path, latent_dim)
    assert figure.axes[0].get_xlabel().startswith(words)
    assert f"{sum(len(batch.y) for batch in data.val_dataloader()):,} validation images" in subtitle(figure)


def test_codes_without_labels_have_no_legend(tmp_path):
    figure, _, _ = drawn(LatentPlane, "vae", tmp_path, latent_dim=2, labels=False)
    assert figure.axes[0].get_legend() is None


@pytest.mark.parametrize(("variant", "panels"), [("vae", 3), ("cvae", 3), ("ae", 2)])
def test_units_have_a_kl_where_there_is_a_posterior(tmp_path, variant, panels):
    figure, _, _ = drawn(UnitActivity, variant, tmp_path)
    assert len(figure.axes) == panels


def test_unit_statistics_are_those_of_the_validation_codes(tmp_path):
    figure, model, data = drawn(UnitActivity, "ae", tmp_path)
    z = torch.cat([model.encode(batch.x, batch.y).z for batch in data.val_dataloader()])
    mean, variance = z.mean(0), z.var(0, correction=0)
    order = variance.argsort(descending=True)
    assert figure.axes[0].lines[1].get_ydata() == pytest.approx(mean[order].tolist(), rel=1e-4, abs=1e-5)
    assert figure.axes[1].lines[0].get_ydata() == pytest.approx(variance[order].tolist(), rel=1e-4)


def test_pictures_of_one_moment_share_the_codes(tmp_path):
    trainer, model = fit_and_test(tmp_path, "vae")
    codes = validation_codes(trainer, model)
    assert validation_codes(trainer, model) is codes
    trainer.fit_loop.max_epochs = 2
    trainer.fit(model, datamodule=trainer.datamodule)
    assert not torch.equal(validation_codes(trainer, model).z, codes.z)

"""The pictures of an evaluation, of untrained models on the bundled digits."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.robustness import CORRUPTIONS
from latentlab.evaluation.pictures.conditional import styles
from latentlab.evaluation.pictures.filters import decoder_filters, encoder_filters
from latentlab.evaluation.pictures.paths import interpolations, traversals
from latentlab.evaluation.pictures.planes import codes_by_tsne, codes_in_the_plane, ellipses, plane, strip
from latentlab.evaluation.pictures.reconstructions import best_to_worst
from latentlab.evaluation.pictures.robustness import restored, robustness_matrix
from latentlab.evaluation.pictures.samples import mixture_samples, prior_samples
from latentlab.evaluation.subject import Subject
from latentlab.evaluation.suites import SUITES
from latentlab.functional.randomness import RandomSource
from latentlab.models.nets.linear import LinearEncoder
from latentlab.models.nets.rnn import RNNDecoder, RNNEncoder
from latentlab.models.nets.tied import TiedDecoder
from latentlab.models.priors import LabelPrior
from tests.training.callbacks.short_runs import digits, model_of

PICTURES = SUITES["full"].pictures
SIZE = 8


def subject_of(variant="vae", latent_dim=4, labels=True, folder="."):
    data = digits(labels)
    return Subject(
        model_of(variant, data, latent_dim).eval(), data, "some_run", "best", samples=2, references=Path(folder)
    )


def rows_of(figure):
    return [text.get_text() for text in figure.axes[0].get_yticklabels()]


def caption_of(figure):
    return figure.texts[1].get_text().replace("\n", " ")


def shown(figure, row, column):
    """The grey levels of one image of a grid, (H, W), in [0, 1]."""
    top = round(figure.axes[0].get_yticks()[row] - (SIZE - 1) / 2)
    left = column * (SIZE + 1)
    canvas = np.asarray(figure.axes[0].images[0].get_array())
    return torch.from_numpy(canvas[top : top + SIZE, left : left + SIZE, 0].copy()) / 255


def same(image, expected):
    torch.testing.assert_close(image.float(), expected.float().reshape(SIZE, SIZE).clamp(0, 1), atol=0.003, rtol=0)


@pytest.mark.parametrize("latent_dim", [1, 2, 4])
@pytest.mark.parametrize("variant", ["ae", "vae", "cvae"])
def test_each_picture_is_drawn_or_skipped_with_a_reason_and_its_caption_names_the_model(variant, latent_dim):
    subject = subject_of(variant, latent_dim)
    skipped = {}
    for name, draw in PICTURES.items():
        try:
            with torch.no_grad():
                figure = draw(subject)
        except NotApplicable as reason:
            skipped[name] = str(reason)
        else:
            assert caption_of(figure).startswith(
                f"{type(subject.model).__name__} on digits, seed 0, run some_run, best"
            )
            assert figure.texts[0].get_text()
    expected = {"plane"} if latent_dim != 2 else set()
    expected |= {"strip"} if latent_dim != 1 else set()
    expected |= {"codes_tsne"} if latent_dim <= 2 else set()
    expected |= {"styles"} if variant != "cvae" else set()
    expected |= {"ellipses"} if variant == "ae" or latent_dim == 1 else set()
    assert skipped.keys() == expected


def test_pictures_are_drawn_of_data_without_labels():
    subject = subject_of(labels=False)
    for name in PICTURES.keys() - {"styles", "plane", "strip"}:
        with torch.no_grad():
            assert PICTURES[name](subject)


def test_reconstructions_go_from_the_best_to_the_worst():
    subject = subject_of()
    figure = best_to_worst(subject)
    low, high = map(float, re.search(r"([\d.]+) to ([\d.]+)\.$", caption_of(figure)).groups())
    errors = [float((shown(figure, 2 * r, c) - shown(figure, 2 * r + 1, c)).square().mean())
              for r in range(4) for c in range(12)]  # fmt: skip
    assert errors == pytest.approx(sorted(errors), abs=1e-3)
    assert errors[0] == pytest.approx(low, abs=1e-3)
    assert errors[-1] == pytest.approx(high, abs=1e-3)


def test_captions_of_samples_name_the_sampler():
    assert "120 codes from the prior" in caption_of(prior_samples(subject_of("vae")))
    assert "this variant has no prior" in caption_of(prior_samples(subject_of("ae")))
    assert "mixture of ten Gaussians" in caption_of(mixture_samples(subject_of("ae")))
    of_each = [mixture_samples(subject_of("ae")), prior_samples(subject_of("ae")), prior_samples(subject_of("vae"))]
    titles = {figure.texts[0].get_text() for figure in of_each}
    assert titles == {"Samples from a fitted mixture", "Samples from a fitted Gaussian", "Samples from the prior"}
    by_label = prior_samples(subject_of("cvae"))
    assert rows_of(by_label) == list("0123456789")


def test_interpolations_begin_and_end_at_test_images_and_their_reconstructions():
    subject = subject_of()
    figure, batch = interpolations(subject), subject.test_batch
    assert rows_of(figure) == ["linear", "spherical"] * 6
    first = torch.stack([(batch.x[:, 0] - shown(figure, 0, 0)).abs().amax((1, 2))]).argmin()
    same(shown(figure, 0, 0), batch.x[first])
    with torch.no_grad():
        same(shown(figure, 0, 1), subject.model.reconstruct(batch.x[first : first + 1], batch.y[first : first + 1])[0])
        same(shown(figure, 1, 1), subject.model.reconstruct(batch.x[first : first + 1], batch.y[first : first + 1])[0])


def test_traversals_begin_with_the_most_active_unit():
    subject = subject_of()
    activity = subject.test_codes.kl.mean(0)
    order = [int(label.split(":")[0]) for label in rows_of(traversals(subject))]
    assert order == activity.argsort(descending=True).tolist()


def test_a_row_of_styles_is_one_code_decoded_with_every_label():
    subject = subject_of("cvae")
    figure, batch = styles(subject), subject.test_batch
    row = int((batch.y == 3).nonzero()[0])
    same(shown(figure, 3, 0), batch.x[row])
    with torch.no_grad():
        z = subject.model.encode(batch.x[row : row + 1], batch.y[row : row + 1]).z
        same(shown(figure, 3, 8), subject.model.decode(z, torch.tensor([7]))[0])


def test_a_strip_decodes_even_steps_and_quantiles():
    subject = subject_of(latent_dim=1)
    figure = strip(subject)
    assert rows_of(figure) == ["-5.0 to 5.0", "quantiles"]
    with torch.no_grad():
        same(shown(figure, 0, 0), subject.model.decode(torch.tensor([[-5.0]]), torch.zeros(1, dtype=torch.int64))[0])
        same(shown(figure, 1, 12), subject.model.decode(torch.tensor([[0.0]]), torch.zeros(1, dtype=torch.int64))[0])


def test_a_plane_decodes_the_grid_from_top_left():
    subject = subject_of(latent_dim=2)
    axes = plane(subject).axes[0]
    canvas = torch.from_numpy(np.asarray(axes.images[0].get_array()).copy())
    with torch.no_grad():
        corner = subject.model.decode(torch.tensor([[-5.0, 5.0]]), torch.zeros(1, dtype=torch.int64))[0, 0]
    behind = canvas[:SIZE, :SIZE]
    # white in proportion to the image, over a dark colour where no code is
    assert torch.corrcoef(torch.stack((behind.mean(2).flatten().float(), corner.flatten())))[0, 1] > 0.99
    assert axes.get_xlim() == pytest.approx((-5.25, 5.25))


def test_a_plane_without_a_prior_spans_the_codes():
    subject = subject_of("ae", latent_dim=2)
    low, high = plane(subject).axes[0].get_xlim()
    codes = subject.train_codes.z
    assert low < float(codes.quantile(0.05))
    assert high > float(codes.quantile(0.95))


def test_codes_and_their_t_sne_name_their_axes():
    subject = subject_of()
    assert codes_in_the_plane(subject).axes[0].get_xlabel().startswith("principal component 1")
    assert codes_by_tsne(subject).axes[0].get_xlabel() == "t-SNE, first"


def test_codes_that_are_all_equal_have_no_t_sne():
    subject = subject_of()
    for parameter in subject.model.encoder.parameters():
        torch.nn.init.zeros_(parameter)
    with pytest.raises(NotApplicable, match="all its codes are equal"):
        codes_by_tsne(subject)
    assert codes_in_the_plane(subject)


@pytest.mark.parametrize(("draw", "latent_dim"), [(strip, 1), (plane, 2)])
def test_a_conditional_decoder_decodes_all_codes_with_one_label(draw, latent_dim):
    assert "conditioned on the label 0" in caption_of(draw(subject_of("cvae", latent_dim)))
    assert "conditioned" not in caption_of(draw(subject_of("vae", latent_dim)))


@pytest.mark.parametrize(("draw", "latent_dim"), [(strip, 1), (plane, 2)])
def test_a_plane_is_decoded_also_where_the_data_has_no_labels(draw, latent_dim):
    subject = subject_of("vae", latent_dim)
    subject.data.class_names = ()
    assert draw(subject)


def test_a_prior_that_differs_between_labels_is_not_drawn_as_a_single_prior():
    subject = subject_of("cvae", latent_dim=2)
    assert "dashed" in caption_of(ellipses(subject))
    standard = len(ellipses(subject).axes[0].patches)
    subject.model.label_prior = LabelPrior(2, 10, (1, 8, 8))
    with torch.no_grad():
        subject.model.label_prior.mean[3] += 1
    assert "dashed" not in caption_of(ellipses(subject))
    assert len(ellipses(subject).axes[0].patches) == standard - 1
    low, high = plane(subject).axes[0].get_xlim()
    assert high - low < 10


def test_ellipses_are_the_posteriors_of_the_two_most_active_units():
    subject = subject_of()
    figure = ellipses(subject)
    units = sorted(subject.test_codes.kl.mean(0).argsort(descending=True)[:2].tolist())
    axes = figure.axes[0]
    assert [axes.get_xlabel(), axes.get_ylabel()] == [f"code unit {unit}" for unit in units]
    (drawn,) = axes.collections
    with torch.no_grad():
        posterior = subject.model.encode(subject.test_batch.x[:1], subject.test_batch.y[:1]).posterior
    # the same sums over two batch sizes: float32 rounds terms of size 1 by 6e-8 each, in another order
    assert drawn.get_offsets()[0] == pytest.approx(posterior.mean[0, units].tolist(), abs=1e-6)
    deviation = (0.5 * posterior.log_var[0, units]).exp().tolist()
    assert [drawn.get_widths()[0] / 2, drawn.get_heights()[0] / 2] == pytest.approx(deviation)


def test_filters_are_the_weights_in_descending_order_of_norm():
    subject = subject_of()
    weights = subject.model.encoder.layers[0].weight.detach()
    strongest = weights[weights.norm(dim=1).argmax()]
    canvas = np.asarray(encoder_filters(subject).axes[0].images[0].get_array())[:SIZE, :SIZE, 0] / 255
    same(torch.from_numpy(canvas), 0.5 + 0.5 * strongest / strongest.abs().max())
    assert "The 16 filters of largest norm of 16" in caption_of(decoder_filters(subject))


def test_tied_weights_are_not_drawn_twice():
    subject = subject_of("ae")
    subject.model.encoder = LinearEncoder(subject.data.image_shape, 4)
    subject.model.decoder = TiedDecoder(4, subject.data.image_shape)
    subject.model.decoder.tie_to(subject.model.encoder)
    assert "The 4 filters of largest norm of 4" in caption_of(encoder_filters(subject))
    with pytest.raises(NotApplicable, match="tied weights"):
        decoder_filters(subject)


def test_a_recurrent_net_of_any_width_has_no_filters():
    subject, shape = subject_of("ae"), digits().image_shape
    subject.model.encoder = RNNEncoder(shape, 4, widths=[SIZE * SIZE], activation="tanh")
    subject.model.decoder = RNNDecoder(4, shape, widths=[SIZE * SIZE], activation="tanh")
    for draw in (encoder_filters, decoder_filters):
        with pytest.raises(NotApplicable, match="no filters of the whole image or of a patch"):
            draw(subject)


def test_images_are_restored_from_noise_of_one_seed():
    subject = subject_of()
    figure = restored(subject)
    x = subject.test_batch.x[:36]
    noisy = CORRUPTIONS["gaussian"][0.3](x, RandomSource(0))
    assert rows_of(figure) == ["clean", "noisy", "restored"] * 3
    for row, column in ((0, 0), (1, 11), (2, 3)):
        place = 12 * row + column
        same(shown(figure, 3 * row, column), x[place])
        same(shown(figure, 3 * row + 1, column), noisy[place])
        same(shown(figure, 3 * row + 2, column), subject.model.reconstruct(noisy[place : place + 1]))


def test_the_matrix_shows_the_robustness_metrics():
    subject = subject_of()
    figure = robustness_matrix(subject)
    table = np.asarray(figure.axes[0].images[0].get_array())
    kinds = [*CORRUPTIONS]
    assert rows_of(figure) == [kind.replace("_", " ") for kind in kinds]
    assert table[kinds.index("masking"), 2] == pytest.approx(subject.robustness["psnr_mean_masking_0.5"])

"""A model of the shipped configs in a training script of the user's own, by Lightning's Trainer."""

import logging

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, LearningRateMonitor, ModelCheckpoint
from torch.utils.data import DataLoader, Dataset, TensorDataset

import latentlab as ll

VARIANTS = ["ae", "sparse_ae", "denoising_ae", "vae", "cvae"]
YARDSTICK = {"mse", "bce", "objective", "objective_final", "reconstruction"}
RANDOM = torch.Generator().manual_seed(0)
X, Y = torch.rand(96, 1, 12, 12, generator=RANDOM), torch.randint(0, 4, (96,), generator=RANDOM)
PAIRS = DataLoader(TensorDataset(X, Y), 32)


class Pictures(Dataset):
    def __len__(self):
        return len(X)

    def __getitem__(self, index):
        return {"image": X[index], "label": int(Y[index])}


def built(variant: str, *overrides: str, **options) -> ll.Autoencoder:
    return ll.build(variant, *overrides, image_shape=(1, 12, 12), num_classes=4, latent_dim=5, **options)


def trainer(tmp_path, *callbacks, **options) -> Trainer:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu", "devices": 1}
    quiet |= {"logger": False, "default_root_dir": tmp_path, "max_epochs": 2}
    return Trainer(**(quiet | options), callbacks=list(callbacks))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_trains_on_a_plain_dataloader_with_the_metrics_of_a_run(tmp_path, variant):
    checkpoint = ModelCheckpoint(tmp_path, monitor="val/objective")
    own = trainer(tmp_path, EarlyStopping("val/objective"), checkpoint)
    model = built(variant)
    own.fit(model, PAIRS, PAIRS)
    assert own.global_step == 6
    posterior = {"kl", "elbo"} if variant in ("vae", "cvae") else set()
    assert {f"val/{name}" for name in YARDSTICK | posterior} <= own.callback_metrics.keys()
    (metrics,) = own.test(model, PAIRS, verbose=False)
    assert {f"test/{name}" for name in YARDSTICK | posterior} <= metrics.keys()


def test_it_learns(tmp_path):
    model = built("ae")
    own = trainer(tmp_path, max_epochs=30)
    before = trainer(tmp_path).validate(model, PAIRS, verbose=False)[0]["val/mse"]
    own.fit(model, PAIRS, PAIRS)
    assert float(own.callback_metrics["val/mse"]) < 0.95 * before


@pytest.mark.parametrize("loader", [DataLoader(X, 32), DataLoader(TensorDataset(X), 32), DataLoader(Pictures(), 32)])
def test_the_formats_of_a_batch_give_the_same_weights(tmp_path, loader):
    weights = []
    for batches in (PAIRS, loader):
        torch.manual_seed(0)
        model = built("vae")
        torch.manual_seed(1)
        trainer(tmp_path, enable_checkpointing=False).fit(model, batches)
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*weights)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, Y.clone().index_fill_(0, torch.tensor([70]), 4), r"expected labels in 0\.\.3, .* found 0 to 4"),
        (X, Y.clone().index_fill_(0, torch.tensor([70]), -1), r"expected labels in 0\.\.3, .* found -1 to 3"),
        (X.clone().index_fill_(0, torch.tensor([70]), 2.0), Y, r"expected images in \[0, 1\]"),
    ],
)
@pytest.mark.parametrize("ask", [Trainer.fit, Trainer.validate, Trainer.test, Trainer.predict])
def test_a_mistake_in_a_later_batch_is_found_as_in_the_first(tmp_path, x, y, message, ask):
    with pytest.raises(ValueError, match=f"batch: {message}"):
        ask(trainer(tmp_path, enable_checkpointing=False), built("cvae"), DataLoader(TensorDataset(x, y), 32))


@pytest.mark.parametrize("loader", [PAIRS, DataLoader(Pictures(), 32)])
def test_predictions_are_codes_and_expected_images(tmp_path, loader):
    model = built("cvae").eval()
    predictions = trainer(tmp_path).predict(model, loader)
    assert [len(each.z) for each in predictions] == [32, 32, 32]
    torch.testing.assert_close(torch.cat([each.z for each in predictions]), model.encode(X, Y).z)
    torch.testing.assert_close(torch.cat([each.x_hat for each in predictions]), model.reconstruct(X, Y))


def test_features_of_the_trainer_work(tmp_path):
    model = built("vae", "scheduler=cosine", "model.beta=2")
    callbacks = [EMAWeightAveraging(), LearningRateMonitor()]
    options = {"accumulate_grad_batches": 3, "gradient_clip_val": 1.0, "precision": "bf16-mixed", "logger": True}
    own = trainer(tmp_path, *callbacks, **options, profiler="simple", max_epochs=3)
    own.fit(model, PAIRS, PAIRS)
    assert own.global_step == 3
    assert float(own.callback_metrics["train/lr"]) < 1e-3


def test_a_checkpoint_is_the_model_without_any_argument(tmp_path):
    own = trainer(tmp_path, checkpoint := ModelCheckpoint(tmp_path))
    own.fit(model := built("cvae", "model.beta=3", net="linear"), PAIRS)
    before = torch.get_rng_state()
    loaded = ll.CVAE.load_from_checkpoint(checkpoint.best_model_path)
    assert torch.equal(torch.get_rng_state(), before)
    assert loaded.kl_term.beta == 3
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), model.parameters(), strict=True))
    assert isinstance(ll.Autoencoder.load_from_checkpoint(checkpoint.best_model_path), ll.CVAE)
    there = ll.CVAE.load_from_checkpoint(checkpoint.best_model_path, map_location="meta")
    assert {weight.device.type for weight in there.parameters()} == {"meta"}
    with pytest.raises(ValueError, match="expected AE, found CVAE"):
        ll.AE.load_from_checkpoint(checkpoint.best_model_path)


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ({}, "expected a model that latentlab has built"),
        ({"builder": "os"}, "expected a model that latentlab has built"),
        ({"builder": "latentlab.training.build", "config": {"model": {"_target_": "os.system"}}}, "found 'os.system'"),
    ],
)
def test_nothing_foreign_in_a_checkpoint_is_called(tmp_path, hyperparameters, message):
    torch.save({"hyper_parameters": hyperparameters, "state_dict": {}}, tmp_path / "foreign.ckpt")
    with pytest.raises((ValueError, ll.UserError), match=message):
        ll.VAE.load_from_checkpoint(tmp_path / "foreign.ckpt")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04junk"])
def test_a_damaged_checkpoint_is_one_line(tmp_path, content):
    (tmp_path / "damaged.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match="expected a checkpoint, found a damaged or another file"):
        ll.VAE.load_from_checkpoint(tmp_path / "damaged.ckpt")


def test_the_weights_are_drawn_by_the_global_generator_and_nothing_else_is_touched():
    torch.manual_seed(5)
    one = built("vae")
    torch.manual_seed(5)
    handlers = logging.root.handlers[:]
    other = built("vae")
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert logging.root.handlers == handlers


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("vea",), "did you mean vae"),
        (("vae", "model.bta=2"), "did you mean beta"),
        (("vae", "trainer.max_epochs=3"), "the rest is your Trainer's and data's"),
        (("vae", "optimizer.lr=-1"), "optimizer: Invalid learning rate: -1"),
    ],
)
def test_a_mistake_is_one_line(arguments, message):
    with pytest.raises(ll.UserError, match=message) as error:
        built(*arguments)
    assert "\n" not in str(error.value)


def test_a_conditional_variant_needs_classes_and_a_shape_three_numbers():
    with pytest.raises(ll.UserError, match="cvae needs labels"):
        ll.build("cvae", image_shape=(1, 8, 8))
    with pytest.raises(ll.UserError, match=r"image_shape: expected \(channels, height, width\), found \(1, 0, 28\)"):
        ll.build("vae", image_shape=(1, 0, 28))


class Short(ll.Autoencoder):
    """A variant that no module holds, as of a notebook."""

    def __init__(self, parts: ll.Parts, latent_dim: int, strength: float) -> None:
        super().__init__(parts, latent_dim)
        self.strength = strength

    def encode(self, x, y=None):
        return ll.Encoding(self.encoder(x))

    def terms(self, batch, encoding):
        return {**super().terms(batch, encoding), "length": encoding.z.square().sum(1)}

    def weights(self, step):
        return {"reconstruction": 1.0, "length": self.strength}


def test_a_class_of_ones_own_is_given_its_parts(tmp_path):
    model = ll.build(Short, image_shape=(1, 12, 12), latent_dim=5, net="linear", strength=0.5)
    own = trainer(tmp_path)
    own.fit(model, PAIRS, PAIRS)
    assert {"val/length", "val/mse"} <= own.callback_metrics.keys()
    loaded = Short.load_from_checkpoint(own.checkpoint_callback.best_model_path)
    assert loaded.strength == 0.5
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), model.parameters(), strict=True))
    with pytest.raises(TypeError, match="strenght"):
        ll.build(Short, image_shape=(1, 12, 12), strenght=0.5)


def test_options_of_a_shipped_variant_are_its_config_keys():
    assert built("vae", beta=2.5).kl_term.beta == 2.5
    with pytest.raises(ll.UserError, match=r"model\.bta: unknown; did you mean beta"):
        built("vae", bta=2.5)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            {"optimizer": "sgd"},
            "optimizer: expected as a text of its own, such as 'optimizer=NAME', found optimizer='sgd'",
        ),
        ({"beta": 2.0, "prior": dict.fromkeys}, r"prior: expected a number, .*; a part .* such as 'model/prior=NAME'"),
    ],
)
def test_what_is_no_option_of_the_variant_is_named_with_the_way_to_give_it(options, line):
    with pytest.raises(ll.UserError, match=line):
        built("vae", **options)

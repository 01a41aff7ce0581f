"""`latentlab export`: encoder and decoder for other libraries, equal to the run's own, with a model card."""

import json
import shlex
import sys
from itertools import cycle

import numpy as np
import pytest
import torch

import latentlab as ll
from latentlab.__main__ import _status
from latentlab.errors import UserError
from latentlab.training.export import export_run as exporting
from latentlab.training.export.card import model_card
from latentlab.training.export.formats import FORMATS, networks_of

pytestmark = pytest.mark.slow  # networks are compiled

VARIANTS = ("ae", "sparse_ae", "denoising_ae", "vae", "cvae")
NETS = {
    "linear": (),
    "tied": (),
    "mlp": ("net.widths=[16]",),
    "cnn": ("net.widths=[4,8]",),
    "resnet": ("net.widths=[4,8]",),
    "rnn": ("net.widths=[8]",),
}
DIAGONAL = list(zip(cycle(VARIANTS), NETS, strict=False))


@pytest.fixture(autouse=True)
def _export_packages():
    for package in ("onnx", "onnxscript", "onnxruntime", "safetensors"):
        pytest.importorskip(package, reason="the extra [export] is not installed")


def model_of(variant: str, net: str) -> ll.Autoencoder:
    torch.manual_seed(0)
    options = ["model/penalty=topk", "model.penalty.k=2"] if variant == "sparse_ae" else []
    model = ll.build(variant, *options, *NETS[net], image_shape=(1, 8, 8), num_classes=4, latent_dim=6, net=net)
    return model.eval().requires_grad_(False)


def differences(model, form, folder, size):
    """The largest over encoder and decoder, against the model asked as a user would ask it."""
    read = FORMATS[form].read(model, folder)
    x, y = torch.rand(size, 1, 8, 8), torch.arange(size) % 4
    label = (y,) if model.conditional else ()
    encoding = model.encode(x, *label)
    codes = read["encoder"]((x, *label))
    expected = [encoding.z] if encoding.posterior is None else [*encoding.posterior]
    images = read["decoder"]((encoding.z, *label))[0]
    pairs = [*zip(codes, expected, strict=True), (images, model.decode(encoding.z, *label))]
    return max(float((a - b).abs().max()) for a, b in pairs)


def check(variant, net, form, folder):
    model = model_of(variant, net)
    FORMATS[form].write(model, folder)
    for size in (1, 7):  # the batch size is free
        assert differences(model, form, folder, size) <= 1e-5


@pytest.mark.parametrize(
    ("variant", "net", "form"),
    [
        *((variant, net, "pt2") for variant, net in DIAGONAL),
        *(pytest.param(variant, net, "safetensors", marks=pytest.mark.long) for variant, net in DIAGONAL[1:]),
        (*DIAGONAL[0], "safetensors"),
        ("sparse_ae", "cnn", "onnx"),
    ],
)
def test_an_exported_model_is_the_model(tmp_path, variant, net, form):
    check(variant, net, form, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("form", FORMATS)
def test_every_variant_with_every_network(tmp_path, variant, net, form):
    check(variant, net, form, tmp_path)


def test_each_file_holds_its_own_weights_alone(tmp_path):
    model = model_of("vae", "mlp")
    FORMATS["pt2"].write(model, tmp_path)
    for name, own in (("encoder", model.encoder), ("decoder", model.decoder)):
        program = torch.export.load(tmp_path / f"{name}.pt2")
        assert sum(w.numel() for w in program.state_dict.values()) == sum(p.numel() for p in own.parameters())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    tiny = ("data=digits", "data.image_size=8", "net.widths=[16]", "trainer.max_epochs=1", "logger=none")
    return ll.train("model=cvae", *tiny, f"hydra.run.dir={tmp_path_factory.mktemp('exported')}/run")


def export(*arguments: str) -> int:
    return _status(["export", *arguments])


def test_the_command_writes_both_networks_and_a_card_whose_code_loads_them(run, tmp_path, monkeypatch, capsys):
    assert export(str(run.folder), "format=onnx", f"output={tmp_path}/shared") == 0
    assert "from the run's own outputs" in capsys.readouterr().out
    assert {file.name for file in (tmp_path / "shared").iterdir()} == {
        *("encoder.onnx", "decoder.onnx", "README.md", "samples.png", "reconstructions.png")
    }
    card = (tmp_path / "shared" / "README.md").read_text()
    for shown in ("# CVAE of digits", "latentlab train", "`test/elbo`", "![samples](samples.png)", "0 to 9", "1, 8, 8"):
        assert shown in card
    monkeypatch.chdir(tmp_path / "shared")
    loaded: dict = {}
    exec(card.split("```python\n")[1].split("```")[0], loaded)
    x, y = np.random.default_rng(0).random((3, 1, 8, 8), np.float32), np.array([1, 2, 3])
    mean, _ = loaded["encoder"].run(None, {"x": x, "y": y})
    (images,) = loaded["decoder"].run(None, {"z": mean, "y": y})
    expected = run.model().reconstruct(torch.from_numpy(x), torch.from_numpy(y))
    torch.testing.assert_close(torch.from_numpy(images), expected, rtol=0, atol=1e-5)


def test_a_run_that_is_not_complete_is_refused(train, tmp_path, capsys):
    run = train("model=ae", "data=digits", "data.image_size=8", "net.widths=[16]", "trainer.max_epochs=1")
    run.metrics_file.unlink()
    run.write_status("interrupted", "signal 2")
    assert export(str(run.folder), "format=pt2", f"output={tmp_path}/x") == 1
    assert "is not complete (status: interrupted); finish it first" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_an_export_of_earlier_weights_is_named(train, capfd):
    run = train("model=ae", "data=digits", "data.image_size=8", "net.widths=[16]", "trainer.max_epochs=1")
    assert export(str(run.folder), "format=pt2") == 0
    train(f"resume={run.folder}", "trainer.max_epochs=2")
    assert f"trained further: {run.folder}/export_pt2 has the earlier weights; export again" in capfd.readouterr().out


def test_the_card_has_the_command_of_the_whole_training(train, tmp_path):
    tiny = ("data=digits", "data.image_size=8", "net.widths=[16]", "trainer.max_epochs=1", "logger=none", "quiet=true")
    run = train("model=ae", *tiny)
    train(f"resume={run.folder}", "trainer.max_epochs=2")
    assert export(str(run.folder), "format=safetensors", f"output={tmp_path}/shared") == 0
    command = (tmp_path / "shared" / "README.md").read_text().split("```bash\n")[1].split("\n```")[0]
    assert command == shlex.join(["latentlab", "train", "model=ae", *tiny[:3], "trainer.max_epochs=2"])


@pytest.mark.parametrize("form", ["pt2", "safetensors"])
def test_the_code_of_the_other_cards_loads_them_too(run, monkeypatch, form):
    assert export(str(run.folder), f"format={form}") == 0
    folder = run.folder / f"export_{form}"
    monkeypatch.chdir(folder)
    loaded: dict = {}
    exec((folder / "README.md").read_text().split("```python\n")[1].split("```")[0], loaded)
    z, y = torch.zeros(2, 20), torch.tensor([3, 4])
    decode = loaded["decoder"] if form == "pt2" else loaded["model"].decode
    torch.testing.assert_close(decode(z, y), run.model().decode(z, y), rtol=0, atol=1e-5)


def test_an_export_that_differs_is_refused_and_leaves_nothing(run, tmp_path, monkeypatch):
    def others(model):
        encoder, decoder = networks_of(model)
        with torch.no_grad():
            next(encoder.module.parameters()).add_(1e-2)
        return encoder, decoder

    monkeypatch.setattr(exporting, "networks_of", others)
    with pytest.raises(UserError, match="what was exported as pt2 differs by "):
        exporting.export_run(ll.runs.Run(run.folder), "pt2", tmp_path / "new")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["format=tflite"], "format: expected onnx or pt2 or safetensors, found 'tflite'"),
        (["output=full"], "output: full holds something already; delete it, or choose another folder"),
        (["outptu=x"], "outptu: unknown; did you mean output"),
    ],
)
def test_a_mistake_is_one_line(run, folder, capsys, arguments, message):
    (folder / "full").mkdir()
    (folder / "full" / "file").touch()
    assert export(str(run.folder), *arguments) == 1
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert (folder / "full" / "file").exists()


def test_without_its_packages_a_format_says_what_to_install(run, folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert export(str(run.folder), "output=new") == 1
    expected = "error: format: onnx needs onnxscript; pip install onnx onnxscript onnxruntime\n"
    assert capsys.readouterr().err == expected
    assert not (folder / "new").exists()


def test_the_weights_and_the_config_are_enough_to_rebuild_the_model(run, tmp_path):
    assert export(str(run.folder), "format=safetensors", f"output={tmp_path}/shared") == 0
    config = json.loads((tmp_path / "shared" / "config.json").read_text())
    assert config["config"]["model"]["latent_dim"] == 20
    assert config["image_shape"] == [1, 8, 8]


@pytest.mark.parametrize(
    ("variant", "options", "line"),
    [
        ("ae", [], "It has no prior"),
        ("vae", [], "Codes drawn from N(0, I), its prior"),
        ("vae", ["model/prior=mixture"], "Its prior is learned and not among these files"),
        ("cvae", ["model/prior=standard"], "Codes drawn from N(0, I), its prior"),
    ],
)
def test_the_card_says_which_codes_are_samples(variant, options, line):
    model = ll.build(variant, *options, image_shape=(1, 8, 8), num_classes=4, latent_dim=3)
    assert line in model_card(model, {}, [], [], FORMATS["pt2"], 0.0)

"""`import latentlab as ll`: train, load, evaluate and report from Python, and what a notebook shows."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import latentlab as ll
from tests.commands.python.short_runs import TINY


def test_a_run_has_its_metrics_curves_config_and_pictures(run):
    assert run.folder.parts[-3:] == ("outputs", "runs", "first")
    assert (run.name, run.status) == ("first", "complete")
    assert run.metrics["test/elbo"] < 0
    assert run.config.model.latent_dim == 20
    assert list(run.history.index) == [1, 2]
    assert run.history.loc[2, "val/objective"] == pytest.approx(run.metrics["val/objective_final"], rel=0.2)
    assert {"samples", "reconstructions", "latent_plane"} <= run.figures.keys()


def test_its_model_is_ready_to_use(run):
    model = run.model()
    x = run.data().test_dataloader().__iter__().__next__().x[:3]
    assert not model.training
    assert model.encode(x, 3).z.shape == (3, 20)
    assert model.sample(16, label=3).numpy().shape == (16, 1, 8, 8)


def test_a_loaded_run_is_the_same(run):
    assert ll.load(run.folder).metrics == run.metrics


def test_a_notebook_shows_a_table_and_the_pictures(run):
    shown = run._repr_html_()
    assert "<th>variant</th><td>CVAE</td>" in shown
    assert "test/elbo" in shown
    assert shown.count("data:image/png;base64,") == len(run.figures)
    assert "CVAE" in repr(run)


def test_a_report_of_runs(run, tmp_path):
    page = ll.report([run, run.folder], tmp_path / "page")
    assert page.read_text().count("CVAE") > 1
    with pytest.raises(ll.UserError, match="report: expected the folder of a sweep, or a list of runs, found nowhere"):
        ll.report("nowhere")


@pytest.mark.slow
def test_an_evaluation_adds_its_metrics(run, outputs, monkeypatch):
    measured = ll.evaluate(run, samples=2, output_dir=outputs)
    assert measured.metrics.keys() > {"test/nll", "test/elbo", "test/label_agreement"}
    with pytest.raises(ll.UserError, match="samples: expected at least 1, found 0"):
        ll.evaluate(run, samples=0)


def test_a_run_is_resumed_by_its_folder(run):
    longer = ll.train(f"resume={run.folder}", "trainer.max_epochs=3")
    assert longer.folder == run.folder
    assert list(longer.history.index) == [1, 2, 3]


def test_a_name_is_taken_once(run, folder):
    with pytest.raises(
        ll.UserError, match=r"name: .*/runs/first holds a run already \(status: complete\); continue it"
    ):
        ll.train("model=ae", *TINY, f"paths.output_dir={run.folder.parents[1]}", name="first")


@pytest.mark.parametrize("name", ["", "..", "a/b", "x" * 201, "${seed}", "a\nb"])
def test_a_name_is_that_of_a_folder(folder, name):
    with pytest.raises(ll.UserError, match="name: expected the name of a folder, without / and"):
        ll.train("model=ae", *TINY, name=name)


@pytest.mark.parametrize("name", ["", "..", "a/b", "x" * 201, "${seed}", "a\0b"])
def test_a_name_of_arrays_is_that_of_a_file(folder, name):
    with pytest.raises(ll.UserError, match="name: expected the name of a file, without / and"):
        ll.train("model=ae", data=ll.ArrayData(np.zeros((60, 8, 8)), name=name))


@pytest.mark.parametrize("x", [[[1, 2], [3]], torch.eye(8).to_sparse(), object()])
def test_what_is_no_array_is_one_line_that_names_its_key(folder, x):
    with pytest.raises(ll.UserError, match=r"\Ay: expected an array[^\n]+\Z"):
        ll.train("model=ae", data=ll.ArrayData(np.zeros((60, 8, 8)), x))


def test_arrays_of_ones_own_are_kept_for_a_later_evaluation(folder):
    random = np.random.default_rng(0)
    data = ll.ArrayData(
        random.random((60, 8, 8)),
        np.arange(60) % 3,
        x_test=torch.rand(20, 8, 8),
        y_test=torch.zeros(20, dtype=int),
        name="mine",
    )
    run = ll.train("model=vae", *TINY[2:], data=data)
    assert run.folder.name.endswith(tuple("0123456789abcdef"))
    assert "_vae_arrays_" in run.folder.name
    assert len(run.data().test.labels) == 20
    assert run.config.data.name == "mine"
    ll.train("model=ae", *TINY[2:], data=data)
    assert len(list((folder / "outputs" / "arrays").iterdir())) == 1


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("model=vea",), "did you mean vae"),
        (("model.bta=3",), "did you mean beta"),
        (("seed=x",), "seed: expected int"),
        (("--help",), "--help: expected KEY=VALUE; flags are for the command line"),
        (("-m", "seed=1,2"), "-m: expected KEY=VALUE"),
        (("model=vae", "seed=1,2"), "seed"),
        (("resume=nowhere",), "resume: nowhere is not a run's folder"),
        (("likelihood=gaussian", "optimizer=sgd", "optimizer.lr=1e3"), "is not finite at step"),
    ],
)
def test_a_mistake_is_an_exception_in_one_line(folder, overrides, message):
    with pytest.raises(ll.UserError, match=message) as error:
        ll.train(*TINY, *overrides)
    assert "\n" not in str(error.value)


def test_arrays_that_no_run_can_use_leave_no_file(folder):
    with pytest.raises(ll.UserError, match="expected floats in"):
        ll.train(
            "model=ae", "trainer.max_epochs=1", data=ll.ArrayData(255 * np.random.default_rng(0).random((60, 8, 8)))
        )
    assert not list((folder / "outputs" / "arrays").iterdir())


def test_arrays_are_refused_where_a_run_is_resumed_and_written_where_the_config_is_sound(folder):
    data = ll.ArrayData(np.zeros((9, 8, 8)))
    with pytest.raises(ll.UserError, match="data: the run to resume keeps its data; leave it out"):
        ll.train("resume=outputs/runs/first", data=data)
    for mistake in ("model=vea", "data.batch_size=0", "seed=-1"):
        with pytest.raises(ll.UserError):
            ll.train(*TINY[2:], mistake, data=data)
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("override", [{"model": "vae"}, 3, None, ["seed=1"], b"seed=1"])
def test_an_override_is_a_text(override):
    expected = f"expected overrides as texts, such as 'model=vae', found {override!r}"
    for ask in (ll.train, lambda given: ll.build("vae", given, image_shape=(1, 8, 8))):
        with pytest.raises(ll.UserError) as error:
            ask(override)
        assert str(error.value) == expected


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("", "'': expected KEY=VALUE, such as model=vae"),
        ("a", "a: expected KEY=VALUE, such as model=vae"),
        ("model=", "model: no option '' (options: ae, cvae, denoising_ae, sparse_ae, vae)"),
        ("seed=", "seed: expected int, found '' (str)"),
        ("=3", "expected KEY=VALUE, found no key before the ="),
    ],
)
def test_an_override_has_a_key_and_a_value(folder, override, message):
    with pytest.raises(ll.UserError) as error:
        ll.train(override)
    assert str(error.value) == message


@pytest.mark.usefixtures("unchecked")
def test_a_name_is_a_text(folder):
    with pytest.raises(ll.UserError, match=r"name: expected a text, found \['a'\]"):
        ll.train(name=["a"])
    with pytest.raises(ll.UserError, match="model: expected the name of a variant, such as 'vae', or a class, found 3"):
        ll.build(3, image_shape=(1, 8, 8))


def test_arrays_beside_another_data_set_are_refused(folder):
    with pytest.raises(ll.UserError, match="data: given twice, as arrays and as data=digits; leave one out"):
        ll.train("data=digits", data=ll.ArrayData(np.zeros((20, 8, 8), np.uint8)))


def test_importing_latentlab_loads_nothing_and_offers_its_names():
    code = (
        "import sys, latentlab as ll; assert 'torch' not in sys.modules and 'hydra' not in sys.modules; print(*dir(ll))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"train", "load", "evaluate", "report", "build", "ArrayData", "VAE"} <= set(done.stdout.split())
    for name in ll.__all__:
        assert callable(getattr(ll, name)), name
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = ll.trian


def test_a_file_that_is_written_after_it_was_missed_is_found(folder, monkeypatch):
    (folder / "conf" / "model").mkdir(parents=True)
    (folder / "conf" / "model" / "late.yaml").write_text("_target_: late_variant.Late\nlatent_dim: 3\n")
    monkeypatch.syspath_prepend(str(folder))
    with pytest.raises(ll.UserError, match="late_variant"):
        ll.train("model=late", *TINY, "trainer=smoke", config_dir="conf")
    code = "import latentlab as ll\n\n\nclass Late(ll.Autoencoder):\n    def encode(self, x, y=None):\n"
    (folder / "late_variant.py").write_text(f"{code}        return ll.Encoding(self.encoder(x))\n")
    assert ll.train("model=late", *TINY, "trainer=smoke", config_dir="conf").status == "complete"


def test_a_run_stays_where_it_is_when_the_process_moves(run, monkeypatch, tmp_path):
    monkeypatch.chdir(run.folder.parent)
    loaded = ll.load("first")
    monkeypatch.chdir(tmp_path)
    assert loaded.metrics == run.metrics
    assert ll.load(loaded).folder == run.folder

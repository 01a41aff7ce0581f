"""`latentlab evaluate` on short runs."""

import json
import shutil
from importlib.metadata import version

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from latentlab.commands.evaluate import job
from latentlab.commands.run_folder import with_folder
from latentlab.config import run_hydra as run_hydra_with
from latentlab.runs import Run
from tests.documented_metrics import undocumented
from tests.wandb_files import pixels_of, read_back

TINY = ["data=digits", "data.image_size=8", "net.widths=[32]", "model.latent_dim=4", "trainer.max_epochs=2"]
QUICK = {"test/linear_probe_error", "test/knn_error", "test/kmeans_nmi", "test/mse_pca", "test/frechet_train",
         "test/frechet_mixture", "test/completeness", "test/step_label_changes", "test/hoyer"}  # fmt: skip
OF_A_POSTERIOR = {"test/nll", "test/rate", "test/active_units", "test/frechet_prior"}


@pytest.fixture
def evaluate(outputs):
    """Arguments -> exit status of `latentlab evaluate`, in this process."""

    def run(*arguments: str) -> int:
        return run_hydra_with(
            job, "evaluate", with_folder("evaluate", [*arguments, f"paths.output_dir={outputs}", "quiet=true"])
        )

    return run


@pytest.mark.parametrize("variant", ["ae", "sparse_ae", "denoising_ae", "vae", "cvae"])
def test_every_variant_is_evaluated_by_the_same_metrics(train, evaluate, variant):
    run = train(*TINY, f"model={variant}", "callbacks=no_pictures")
    before = run.metrics["metrics"]
    assert evaluate(f"run={run.folder}") == 0
    found = run.metrics["metrics"]
    assert found.keys() >= QUICK
    assert not undocumented(found)
    assert bool(found.keys() & OF_A_POSTERIOR) == (variant in ("vae", "cvae"))
    assert ("test/label_agreement" in found) == (variant == "cvae")
    assert {name: found[name] for name in before} == pytest.approx(before, nan_ok=True)
    skipped = run.metrics["evaluation"]["skipped"]
    assert ("picture ellipses" in skipped) == (variant not in ("vae", "cvae"))
    assert ("rate, distortion, mutual information" in skipped) == (variant not in ("vae", "cvae"))
    assert skipped["picture plane"] == "its code does not have two units"
    pictures = {picture.stem for picture in run.figures}
    assert pictures >= {f"evaluation_{name}" for name in ("best_to_worst", "samples_prior", "codes", "interpolations")}
    assert run.status["status"] == "complete"


def test_the_full_suite_gives_the_same_metrics_again(train, evaluate):
    run = train(*TINY, "model=vae", "callbacks=no_pictures")
    assert evaluate(f"run={run.folder}", "suite=full", "samples=3") == 0
    first = run.metrics
    few_labels = {
        f"test/few_labels_{what}_error" for what in ("100", "pixels_100", "100_spreading", "pca_100_spreading")
    }
    assert {*few_labels, "test/auroc_inverted"} <= first["metrics"].keys()
    assert "test/ssim_gaussian_0.3" in first["metrics"]
    assert not undocumented(first["metrics"])
    assert first["metrics"]["test/nll_samples"] == 3
    assert (run.folder / "figures" / "evaluation_robustness.png").is_file()
    assert evaluate(f"run={run.folder}", "suite=full", "samples=3") == 0
    assert run.metrics["metrics"] == first["metrics"]


def test_binarised_pixels_are_part_of_the_metrics_name(train, evaluate):
    run = train(*TINY, "model=vae", "callbacks=no_pictures", "data.binarize=dynamic")
    assert evaluate(f"run={run.folder}", "samples=2") == 0
    assert "test/nll_binarized" in run.metrics["metrics"]
    assert not undocumented(run.metrics["metrics"])
    assert "test/nll" not in run.metrics["metrics"]
    assert run.metrics["evaluation"]["binarize"] == "dynamic"


def test_more_codes_tighten_the_bound(train, evaluate):
    run = train(*TINY, "model=vae", "callbacks=no_pictures")
    found = []
    for samples in (1, 50):
        assert evaluate(f"run={run.folder}", f"samples={samples}") == 0
        found.append(run.metrics["metrics"]["test/nll"])
    assert found[1] < found[0]
    assert found[0] == pytest.approx(-run.metrics["metrics"]["test/elbo"], abs=2)


def test_at_the_end_of_a_training(train, outputs):
    run = train(*TINY, "model=vae", "evaluate=quick", f"paths.output_dir={outputs}", "callbacks=no_pictures")
    assert run.metrics["metrics"].keys() >= QUICK | OF_A_POSTERIOR
    assert run.metrics["evaluation"]["suite"] == "quick"


def test_metrics_and_pictures_of_a_later_evaluation_are_logged_to_tensorboard(train, evaluate):
    run = train(*TINY, "model=vae", "callbacks=no_pictures", "logger=tensorboard")
    assert evaluate(f"run={run.folder}") == 0
    events = EventAccumulator(str(run.folder))
    events.Reload()
    assert events.Scalars("test/nll")[-1].value == pytest.approx(run.metrics["metrics"]["test/nll"], rel=1e-6)
    assert {"evaluation/codes", "evaluation/samples_prior"} <= set(events.Tags()["images"])


def test_a_later_evaluation_continues_the_same_run_of_wandb_pixel_by_pixel(train, evaluate, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = train(*TINY, "model=ae", "callbacks=no_pictures", "logger=wandb")
    assert evaluate(f"run={run.folder}") == 0
    trained, evaluated = sorted((run.folder / "wandb").glob("offline-run-*"), key=lambda folder: folder.name)
    assert read_back(trained)["run_id"] == read_back(evaluated)["run_id"]
    summary = read_back(evaluated)["summary"]
    pictures = [picture for picture in run.figures if picture.name.startswith("evaluation_")]
    assert len(pictures) > 5
    for picture in pictures:
        logged = summary[picture.stem.replace("_", "/", 1)]
        sent = evaluated / "files" / logged["path"]
        assert np.array_equal(pixels_of(sent.read_bytes()), pixels_of(picture.read_bytes())), picture.name


def test_the_csv_file_of_the_training_is_not_changed(train, evaluate):
    run = train(*TINY, "model=ae", "callbacks=no_pictures", "logger=csv")
    (file,) = run.folder.rglob("metrics.csv")
    before = file.read_text()
    assert evaluate(f"run={run.folder}") == 0
    assert file.read_text() == before


def test_data_without_labels_skips_what_requires_them(train, evaluate):
    run = train(*TINY, "model=vae", "data.labels=false", "callbacks=no_pictures")
    assert evaluate(f"run={run.folder}") == 0
    skipped = run.metrics["evaluation"]["skipped"]
    assert {name for name, why in skipped.items() if why == "the data has no labels"} == {
        "generation", "latent continuity and completeness", "linear, k-NN and k-means probes"
    }  # fmt: skip
    assert "test/nll" in run.metrics["metrics"]


def test_a_folder_with_commas_and_equal_signs(train, evaluate):
    run = train(*TINY, "model=ae", "callbacks=no_pictures")
    moved = run.folder.with_name("model=ae,seed=0")
    shutil.move(run.folder, moved)
    assert evaluate(f"run={moved}") == 0
    assert "test/knn_error" in Run(moved).metrics["metrics"]
    assert not list(moved.glob(".hydra/config.yaml.*"))


def test_metrics_are_written_before_a_picture_fails(train, evaluate):
    run = train(*TINY, "model=ae", "callbacks=no_pictures")
    (run.folder / "figures" / "evaluation_samples_prior.png").mkdir(parents=True)
    assert evaluate(f"run={run.folder}") != 0
    assert run.metrics["metrics"].keys() >= QUICK
    assert "evaluation" not in run.metrics  # a resumed run is evaluated again


def test_few_labels_are_skipped_for_an_encoder_that_is_conditioned_on_the_label(train, evaluate):
    run = train(*TINY, "model=cvae", "callbacks=no_pictures")
    assert evaluate(f"run={run.folder}", "suite=full", "samples=2") == 0
    assert "conditioned on the label" in run.metrics["evaluation"]["skipped"]["few labels"]
    assert not {"test/few_labels_100_error", "test/few_labels_100_spreading_error"} & run.metrics["metrics"].keys()
    assert "test/few_labels_pca_100_spreading_error" in run.metrics["metrics"]


def test_the_nll_of_a_density_is_not_named_binarized(train, evaluate):
    run = train(*TINY, "model=vae", "likelihood=gaussian", "callbacks=no_pictures", "data.binarize=dynamic")
    assert evaluate(f"run={run.folder}", "samples=2") == 0
    assert "test/nll" in run.metrics["metrics"]
    assert "test/nll_binarized" not in run.metrics["metrics"]


def write_stamp(run, number):
    content = json.loads(run.metrics_file.read_text())
    content["versions"]["latentlab"], content["format"] = "0.0.1", number
    run.metrics_file.write_text(json.dumps(content))


def test_a_run_of_another_version_with_this_format_is_evaluated_with_one_line(train, evaluate, capsys):
    run = train(*TINY, "model=ae", "callbacks=no_pictures")
    write_stamp(run, run.metrics["format"])
    capsys.readouterr()
    assert evaluate(f"run={run.folder}") == 0
    assert f"was made by latentlab 0.0.1, this is {version('latentlab')}" in capsys.readouterr().out
    assert run.metrics["versions"]["latentlab"] == "0.0.1"


class TestMistakes:
    """One line, a nonzero exit status, and an unchanged run folder."""

    def refused(self, evaluate, capsys, *arguments):
        assert evaluate(*arguments) != 0
        (line,) = capsys.readouterr().err.strip().splitlines()
        return line

    @pytest.fixture
    def run(self, train):
        return train(*TINY, "model=ae", "callbacks=no_pictures")

    @pytest.mark.parametrize(
        ("argument", "message"),
        [
            ("suite=fast", "suite: expected quick or full, found 'fast'"),
            ("samples=0", "samples: expected at least 1, found 0"),
            ("samples=many", "samples: expected int"),
            ("device=toaster", "device: expected auto"),
            ("device=meta", "device: expected auto"),
            ("sutie=quick", "did you mean suite"),
        ],
    )
    def test_a_wrong_value(self, run, evaluate, capsys, argument, message):
        capsys.readouterr()
        assert message in self.refused(evaluate, capsys, f"run={run.folder}", argument)

    def test_no_folder_and_a_folder_without_a_run(self, tmp_path):
        from latentlab.errors import UserError

        with pytest.raises(UserError, match="run: missing"):
            with_folder("evaluate", ["suite=full"])
        with pytest.raises(UserError, match="not a run's folder"):
            with_folder("evaluate", [f"run={tmp_path}"])
        assert not list(tmp_path.iterdir())

    def test_the_folder_alone_is_enough(self, tmp_path):
        from latentlab.errors import UserError

        file = Run(tmp_path / "model=ae,seed=0").config_file
        file.parent.mkdir(parents=True)
        file.touch()
        folder = str(tmp_path / "model=ae,seed=0")
        assert with_folder("evaluate", [folder, "suite=full"]) == with_folder(
            "evaluate", [f"run={folder}", "suite=full"]
        )
        with pytest.raises(UserError, match="run: expected one folder, found 2"):
            with_folder("evaluate", [folder, "another"])
        with pytest.raises(UserError, match=r"run: nowhere .*not a run's folder"):
            with_folder("evaluate", ["nowhere", "suite=full"])

    def test_a_measurement_with_the_name_of_one_of_the_suite(self):
        from latentlab.errors import ConfigError
        from latentlab.evaluation.suites import SUITES

        with pytest.raises(ConfigError, match=r"measurements\.compression: the suite has a measurement of this name"):
            SUITES["quick"].with_measurements({"compression": lambda subject: iter(())})

    def test_several_runs_at_once(self, run, evaluate, capsys):
        assert "only `latentlab train` runs sweeps" in self.refused(evaluate, capsys, "-m", f"run={run.folder}")

    def test_an_incomplete_run(self, run, evaluate, capsys):
        (run.folder / "metrics.json").unlink()
        run.write_status("interrupted", "signal 2")
        capsys.readouterr()
        line = self.refused(evaluate, capsys, f"run={run.folder}")
        assert "is not complete (status: interrupted)" in line
        assert "latentlab train resume=" in line

    @pytest.mark.parametrize("number", [None, 0, 2])
    def test_a_run_of_another_format(self, run, evaluate, capsys, number):
        write_stamp(run, number)
        capsys.readouterr()
        line = self.refused(evaluate, capsys, f"run={run.folder}")
        assert f"was made by latentlab 0.0.1 in format {number or 0}, this is {version('latentlab')}" in line
        assert line.endswith("; use latentlab 0.0.1 for it, or train it again in another folder")

    def test_other_data(self, run, evaluate, capsys):
        metrics = run.metrics
        metrics["data_fingerprint"] = "00000000"
        run.write_metrics(metrics)
        capsys.readouterr()
        assert "trained on other images than digits now has" in self.refused(evaluate, capsys, f"run={run.folder}")

    def test_a_damaged_metrics_file(self, run, evaluate, capsys):
        (run.folder / "metrics.json").write_text("{")
        capsys.readouterr()
        assert "metrics.json is damaged" in self.refused(evaluate, capsys, f"run={run.folder}")

    def test_a_damaged_checkpoint(self, run, evaluate, capsys):
        file = run.folder / "checkpoints" / "best.ckpt"
        file.write_bytes(file.read_bytes()[:2_000])
        before = (run.folder / "metrics.json").read_text()
        capsys.readouterr()
        assert "best.ckpt is damaged" in self.refused(evaluate, capsys, f"run={run.folder}")
        assert (run.folder / "metrics.json").read_text() == before

    def test_a_checkpoint_of_another_model(self, run, evaluate, capsys):
        file = run.folder / ".hydra" / "resolved.yaml"
        file.write_text(file.read_text().replace("latent_dim: 4", "latent_dim: 5"))
        capsys.readouterr()
        assert "does not fit the model" in self.refused(evaluate, capsys, f"run={run.folder}")

    def test_an_evaluation_that_fails_leaves_a_trained_run_complete(self, train, tmp_path):
        (tmp_path / "in_the_way").write_text("")
        run = train(*TINY, "evaluate=quick", f"paths.output_dir={tmp_path}/in_the_way", status=1)
        assert run.status["status"] == "complete"
        assert json.loads((run.folder / "metrics.json").read_text())["status"] == "complete"


def test_a_run_that_was_killed_before_its_evaluation_is_evaluated_when_resumed(train, outputs):
    arguments = [*TINY, "model=ae", f"paths.output_dir={outputs}", "callbacks=no_pictures"]
    run = train(*arguments)
    assert "evaluation" not in run.metrics
    train(*arguments, "evaluate=quick", f"resume={run.folder}")
    assert run.metrics["evaluation"]["suite"] == "quick"
    first = (run.folder / "metrics.json").read_text()
    train(*arguments, "evaluate=quick", f"resume={run.folder}")
    assert (run.folder / "metrics.json").read_text() == first

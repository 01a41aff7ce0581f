"""`latentlab evaluate` on short runs."""

import shutil
from importlib.metadata import version

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from latentlab.evaluation.suites import SUITES, Suite
from latentlab.runs import Run
from latentlab.training.restore import load_model, trusted_config
from tests.documented_metrics import undocumented
from tests.evaluation.short_evaluations import TINY, write_stamp
from tests.wandb_files import pixels_of, read_back

pytestmark = pytest.mark.slow  # whole runs are measured

QUICK = {"test/linear_probe_error", "test/knn_error", "test/kmeans_nmi", "test/mse_pca", "test/frechet_train",
         "test/frechet_mixture", "test/completeness", "test/perturbed_code_label_changes", "test/hoyer"}  # fmt: skip
OF_CODES = {"test/linear_probe_error", "test/knn_error", "test/kmeans_nmi"}  # of which a label was read off
OF_A_POSTERIOR = {"test/nll", "test/rate", "test/active_units", "test/mutual_information", "test/frechet_prior"}


@pytest.mark.parametrize("variant", ["ae", "sparse_ae", "denoising_ae", "vae", "cvae"])
def test_every_variant_is_evaluated_by_the_same_metrics(train, evaluate, variant):
    run = train(*TINY, f"model={variant}", "callbacks=no_pictures")
    before = run.metrics["metrics"]
    assert evaluate(f"run={run.folder}") == 0
    found = run.metrics["metrics"]
    assert found.keys() >= (QUICK - OF_CODES if variant == "cvae" else QUICK)
    assert not undocumented(found)
    assert bool(found.keys() & OF_A_POSTERIOR) == (variant in ("vae", "cvae"))
    assert ("test/label_agreement" in found) == (variant == "cvae")
    assert {name: found[name] for name in before} == pytest.approx(before, nan_ok=True)
    skipped = run.metrics["evaluation"]["skipped"]
    assert ("linear, k-NN and k-means probes" in skipped) == (variant == "cvae")
    assert ("picture ellipses" in skipped) == (variant not in ("vae", "cvae"))
    assert ("rate and distortion" in skipped) == (variant not in ("vae", "cvae"))
    assert skipped["picture plane"] == "its code does not have two units"
    pictures = {picture.stem for picture in run.figures}
    assert pictures >= {f"evaluation_{name}" for name in ("best_to_worst", "samples_prior", "codes", "interpolations")}
    assert run.status["status"] == "complete"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["model/prior=mixture"], marks=pytest.mark.long),
        pytest.param(["model/prior=flow"], marks=pytest.mark.long),
        ["model/prior=vampprior", "model/bound=dreg", "model.bound.samples=3"],
    ],
)
def test_a_learned_prior_is_measured_drawn_and_resumed(train, evaluate, options):
    run = train(*TINY, "model=vae", *options)
    assert evaluate(f"run={run.folder}", "samples=2") == 0
    found = run.metrics["metrics"]
    assert found.keys() >= QUICK | OF_A_POSTERIOR | {"test/kl", "test/elbo", "test/reconstruction"}
    assert not undocumented(found)
    assert found["test/elbo"] == pytest.approx(-found["test/kl"] - found["test/reconstruction"], rel=1e-5)
    drawn = {picture.stem for picture in run.figures}
    assert drawn >= {"samples", "unit_activity", "evaluation_samples_prior", "evaluation_ellipses"}
    again = train(f"resume={run.folder}", "trainer.max_epochs=3")
    assert again.metrics["epochs"] == 3


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
    # a quick one changes nothing of what only the full one measures, and the run stays one that was measured in full
    assert evaluate(f"run={run.folder}", "suite=quick", "samples=3") == 0
    assert run.metrics["metrics"] == first["metrics"]
    for key in ("suite", "metrics", "skipped"):
        assert run.metrics["evaluation"][key] == first["evaluation"][key]
    assert run.metrics["evaluation"]["seconds"].keys() == first["evaluation"]["seconds"].keys()


def test_what_a_measurement_found_earlier_and_does_not_find_now_is_removed(train, evaluate):
    """As where a later version leaves a metric out; those of other measurements, and of the run's own test, stay."""
    run = train(*TINY, "model=ae", "callbacks=no_pictures")
    assert evaluate(f"run={run.folder}", "suite=quick") == 0
    first = run.metrics
    evaluation = dict(first["evaluation"])
    found = evaluation.pop("metrics")
    name = next(iter(found))
    added = {"test/of_a_measurement": 1.0, "test/of_none": 2.0}
    listed = {**found, name: [*found[name], "of_a_measurement"]}
    as_before = {**evaluation, "figures": listed}  # the key until 0.2.0
    run.write_metrics({**first, "metrics": {**first["metrics"], **added}, "evaluation": as_before})
    assert evaluate(f"run={run.folder}", "suite=quick") == 0
    assert run.metrics["metrics"] == {**first["metrics"], "test/of_none": 2.0}
    assert run.metrics["evaluation"]["metrics"] == found
    assert {f"test/{metric}" for some in listed.values() for metric in some} - added.keys() <= first["metrics"].keys()


def test_a_binarised_run_is_also_measured_on_grey_levels(train, evaluate, digits):
    """Beside the run's own images: what a grey-level run reports, computed here from the pixels."""
    run = train(*TINY, "model=ae", "callbacks=no_pictures", "data.binarize=dynamic")
    assert evaluate(f"run={run.folder}", "suite=full") == 0
    found = run.metrics["metrics"]
    few = {f"test/few_labels_{of}100_{what}_grey" for of in ("", "pixels_") for what in ("error", "spread")}
    assert found.keys() >= few | {"test/linear_probe_error_grey", "test/knn_error_grey", "test/kmeans_nmi_grey"}
    assert not undocumented(found)
    model = load_model(run, trusted_config(run)).eval()
    x = digits.test.pixels.float() / 255
    with torch.no_grad():
        errors = (model.decode(model.encode(x).z) - x).square()
    assert found["test/mse_grey"] == pytest.approx(float(errors.mean()), rel=1e-5)
    assert found["test/mse"] > found["test/mse_grey"] + 0.01  # the noise of the binarisation


def test_a_code_that_is_denser_than_trained_is_measured_at_both_sparsities(train, evaluate):
    top = ["model/penalty=topk", "model.latent_dim=16", "model.penalty.k=2", "model.penalty.alpha=4"]
    run = train(*TINY, "model=sparse_ae", *top, "callbacks=no_pictures")
    assert evaluate(f"run={run.folder}") == 0
    found = run.metrics["metrics"]
    assert found["test/active_fraction"] == pytest.approx(8 / 16, abs=0.05)
    assert found.keys() >= {"test/mse_trained_k", "test/linear_probe_error_trained_k"}
    assert found["test/mse_trained_k"] != found["test/mse"]
    assert not undocumented(found)


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


def test_a_run_that_is_trained_further_loses_the_evaluation_of_its_earlier_weights(train, outputs):
    run = train(*TINY, "model=ae", "evaluate=quick", f"paths.output_dir={outputs}", "callbacks=no_pictures")
    assert list(run.folder.glob("figures/evaluation_*.png"))
    train(f"resume={run.folder}", "trainer.max_epochs=3", "evaluate=none")
    assert "evaluation" not in run.metrics
    assert not list(run.folder.glob("figures/evaluation_*.png"))


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
        "reference classifier", "generation and completeness", "latent continuity", "linear, k-NN and k-means probes",
        "probes of grey levels", "linear probe at the trained sparsity"
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
    assert run.metrics["evaluation"].keys() == {"metrics"}  # a resumed run is evaluated again


def test_few_labels_are_skipped_for_an_encoder_that_is_conditioned_on_the_label(train, evaluate, monkeypatch):
    run = train(*TINY, "model=cvae", "callbacks=no_pictures")
    few = {name: measure for name, measure in SUITES["full"].measurements.items() if name.startswith("few labels")}
    monkeypatch.setitem(SUITES, "full", Suite(2, few, {}))
    assert evaluate(f"run={run.folder}", "suite=full") == 0
    assert "conditioned on the label" in run.metrics["evaluation"]["skipped"]["few labels"]
    assert not {"test/few_labels_100_error", "test/few_labels_100_spreading_error"} & run.metrics["metrics"].keys()
    assert "test/few_labels_pca_100_spreading_error" in run.metrics["metrics"]


def test_the_nll_of_a_density_is_not_named_binarized(train, evaluate):
    run = train(*TINY, "model=vae", "likelihood=gaussian", "callbacks=no_pictures", "data.binarize=dynamic")
    assert evaluate(f"run={run.folder}", "samples=2") == 0
    assert "test/nll" in run.metrics["metrics"]
    assert "test/nll_binarized" not in run.metrics["metrics"]


def test_a_run_of_another_version_with_this_format_is_evaluated_with_one_line(train, evaluate, capsys):
    run = train(*TINY, "model=ae", "callbacks=no_pictures")
    write_stamp(run, run.metrics["format"])
    capsys.readouterr()
    assert evaluate(f"run={run.folder}") == 0
    assert f"was made by latentlab 0.0.1, this is {version('latentlab')}" in capsys.readouterr().out
    assert run.metrics["versions"]["latentlab"] == "0.0.1"


def test_a_run_that_was_killed_before_its_evaluation_is_evaluated_when_resumed(train, outputs):
    arguments = [*TINY, "model=ae", f"paths.output_dir={outputs}", "callbacks=no_pictures"]
    run = train(*arguments)
    assert "evaluation" not in run.metrics
    train(*arguments, "evaluate=quick", f"resume={run.folder}")
    assert run.metrics["evaluation"]["suite"] == "quick"
    first = (run.folder / "metrics.json").read_text()
    train(*arguments, "evaluate=quick", f"resume={run.folder}")
    assert (run.folder / "metrics.json").read_text() == first

"""Whole runs on CUDA devices: precisions, torch.compile, resuming, evaluation, sweeps, several GPUs."""

import pytest
import torch

from latentlab.runs import Run
from tests.called import called
from tests.gpu import on_cuda

GPUS = torch.cuda.device_count()
SHORT = [
    *("data=digits", "data.image_size=8", "net.widths=[64]", "trainer.max_epochs=4", "trainer.accelerator=gpu"),
    *("callbacks=no_pictures", "quiet=true"),
]

pytestmark = on_cuda


def elbo(run: Run) -> float:
    return run.metrics["metrics"]["test/elbo"]


def weights(run: Run) -> dict[str, torch.Tensor]:
    return torch.load(run.last_checkpoint, weights_only=True, map_location="cpu")["state_dict"]


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_half_precision_leaves_the_metrics_alone(train, precision):
    full, half = (train(*SHORT, f"trainer.precision={p}", folder=p) for p in ("32-true", precision))
    assert full.metrics["device"] == "1 x cuda"
    assert elbo(half) == pytest.approx(elbo(full), rel=0.02)


@pytest.mark.parametrize("net", ["mlp", "cnn"])
def test_the_shipped_trainer_for_a_gpu_reports_what_an_eager_run_reports(train, net):
    widths = "net.widths=[64]" if net == "mlp" else "net.widths=[8]"
    own = ["trainer=gpu", *SHORT, f"net={net}", widths]
    eager = train(*own, "trainer.compile=false", "trainer.precision=32-true", folder="eager")
    assert elbo(train(*own)) == pytest.approx(elbo(eager), rel=0.02)


def test_a_resumed_run_ends_in_the_same_weights_bit_for_bit(train):
    whole = train(*SHORT, folder="whole")
    train(*SHORT, "trainer.max_epochs=2")
    done = called("train", "resume=run", "trainer.max_epochs=4")
    assert done.returncode == 0, done.stderr
    expected, found = weights(whole), weights(Run("run"))
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_an_evaluation_on_a_gpu_has_the_metrics_of_the_cpu(train, outputs):
    run = train(*SHORT)
    found = {}
    for device in ("cpu", "cuda"):
        done = called("evaluate", f"run={run.folder}", f"device={device}", f"paths.output_dir={outputs}")
        assert done.returncode == 0, done.stderr
        found[device] = run.metrics["metrics"]
    for name in ("test/elbo", "test/mse", "test/linear_probe_error", "test/knn_error", "test/mse_pca"):
        assert found["cuda"][name] == pytest.approx(found["cpu"][name], rel=1e-3)
    assert found["cuda"]["test/nll"] == pytest.approx(found["cpu"]["test/nll"], rel=0.01)  # by other draws


def test_a_sweep_gives_each_worker_a_gpu(tmp_path):
    workers = max(GPUS, 2)
    seeds = ",".join(map(str, range(2 * workers)))
    at_once = ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={workers}", f"hydra.sweep.dir={tmp_path}"]
    done = called("train", "-m", *SHORT, f"seed={seeds}", *at_once)
    assert done.returncode == 0, done.stderr
    logs = "".join(log.read_text() for log in tmp_path.glob("seed=*/train.log"))
    assert {Run(f.parent).metrics["device"] for f in tmp_path.glob("*/metrics.json")} == {"1 x cuda"}
    assert GPUS == 1 or all(f"this worker uses GPU {number}" in logs for number in range(GPUS))


@pytest.mark.skipif(GPUS < 2, reason=f"needs two GPUs, found {GPUS}")
def test_all_gpus_report_what_one_reports(train):
    plain = [*SHORT, "optimizer=sgd", "optimizer.lr=1e-4"]
    one = train(*plain, folder="one")
    many = train(*plain, "trainer=ddp", "trainer.accelerator=gpu", f"trainer.devices={GPUS}", folder="many")
    assert many.metrics["device"] == f"{GPUS} x cuda"
    assert many.metrics["metrics"] == pytest.approx(one.metrics["metrics"], rel=1e-4)

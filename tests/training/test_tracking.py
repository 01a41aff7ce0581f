import json
import logging
import math
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import wandb
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from latentlab.training.tracking import (
    HPARAMS_METRICS,
    log_figure,
    log_hyperparameters,
    wandb_logger,
)
from latentlab.training.wandb_logger import finish_wandb
from tests.wandb_files import pixels_of, read_back

KEY = "a" * 40


@pytest.fixture(autouse=True)
def wandb_of_nobody(monkeypatch, tmp_path):
    """No key, no settings, and no run left open."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.chdir(tmp_path)
    wandb.teardown()
    yield
    finish_wandb(0)
    wandb.teardown()


@pytest.fixture
def refusing_server(monkeypatch):
    """A server that answers everything with 401, as W&B does for a key it does not know."""

    class Refuse(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(401)
            self.end_headers()
            self.wfile.write(b'{"error": "no such key"}')

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.server_port}")
        yield
        finish_wandb(0)
        wandb.teardown()
        server.shutdown()


@pytest.fixture
def silent_server(monkeypatch):
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("WANDB_BASE_URL", f"http://{host}")
        yield host


def tensorboard(folder: Path) -> TensorBoardLogger:
    return TensorBoardLogger(folder, name=None, version="", default_hp_metric=False)


def written_events(logger: TensorBoardLogger) -> EventAccumulator:
    logger.save()
    return EventAccumulator(logger.log_dir).Reload()


def offline(folder: Path, **options):
    return wandb_logger(folder, "latentlab", group="g", job_type="train", tags=["a", "b"], **options)


def only_run(folder: Path) -> dict:
    """What the only W&B run below the folder holds."""
    (run,) = folder.glob("wandb/offline-run-*")
    return read_back(run)


def own_lines(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "latentlab.training.tracking"]


def line() -> Figure:
    figure = Figure(figsize=(2, 1), dpi=100)
    figure.add_subplot().plot([0, 1], [0, 1])
    return figure


def test_one_picture_has_the_same_pixels_everywhere(tmp_path):
    board, weights_and_biases = tensorboard(tmp_path), offline(tmp_path)
    loggers = [board, CSVLogger(tmp_path), weights_and_biases]
    log_figure(loggers, tmp_path, "val/line", line(), step=7)
    finish_wandb(0)

    on_disk = pixels_of((tmp_path / "figures/val_line.png").read_bytes())
    assert on_disk.shape == (100, 200, 3)
    assert on_disk.min() < 200 < on_disk.max() == 255

    events = written_events(board)
    assert events.Tags()["images"] == ["val/line"]
    (event,) = events.Images("val/line")
    assert event.step == 7
    assert np.array_equal(pixels_of(event.encoded_image_string), on_disk)

    (media,) = tmp_path.glob("wandb/offline-run-*/files/media/images/val/*.png")
    assert np.array_equal(pixels_of(media.read_bytes()), on_disk)
    summary = only_run(tmp_path)["summary"]
    assert summary["trainer/global_step"] == 7
    assert media.as_posix().endswith("/files/" + summary["val/line"]["path"])


def test_a_newer_picture_replaces_the_older_one(tmp_path):
    log_figure([], tmp_path, "val/line", line(), step=0)
    log_figure([], tmp_path, "val/line", Figure(), step=1)
    assert [file.name for file in (tmp_path / "figures").iterdir()] == ["val_line.png"]
    assert pixels_of((tmp_path / "figures/val_line.png").read_bytes()).min() == 255


def test_hyperparameters_of_all_runs_have_the_same_metrics(tmp_path):
    boards = [tensorboard(tmp_path / "ae"), tensorboard(tmp_path / "vae")]
    metrics = {"test/mse": 0.25, "test/psnr": 6.0}
    log_hyperparameters(boards[:1], {"model": "ae", "net.widths": [400]}, metrics, step=5)
    log_hyperparameters(boards[1:], {"model": "vae"}, dict.fromkeys(HPARAMS_METRICS, 1.5))
    plain, variational = (written_events(board) for board in boards)
    assert plain.Tags()["scalars"] == variational.Tags()["scalars"] == list(HPARAMS_METRICS)
    (mse,) = plain.Scalars("test/mse")
    assert (mse.value, mse.step) == (0.25, 5)
    assert math.isnan(plain.Scalars("test/elbo")[0].value)
    for events in (plain, variational):
        experiment = events.summary_metadata["_hparams_/experiment"].plugin_data.content
        assert all(key.encode() in experiment for key in HPARAMS_METRICS)


def test_wandb_gets_the_config_and_a_summary_of_what_is_finite(tmp_path):
    metrics = {"test/mse": 0.25, "test/kl": math.nan}
    log_hyperparameters([offline(tmp_path, name="n")], {"net.widths": [400]}, metrics)
    finish_wandb(0)
    found = only_run(tmp_path)
    assert found["summary"]["test/mse"] == 0.25
    assert "test/kl" not in found["summary"]
    assert "net.widths" in json.dumps(found["config"])


def test_each_job_of_a_sweep_has_a_wandb_run_of_its_own(tmp_path):
    for job in range(2):
        log_hyperparameters([offline(tmp_path / str(job))], {}, {"test/mse": float(job)})
        finish_wandb(0)
        assert wandb.run is None
    summaries = [only_run(tmp_path / str(job))["summary"]["test/mse"] for job in range(2)]
    assert summaries == [0, 1]


def test_finishing_without_a_run_does_nothing():
    finish_wandb(1)


def test_without_a_key_the_run_is_offline_and_logs_how_to_upload(tmp_path, caplog):
    caplog.set_level(logging.INFO, "latentlab.training.tracking")
    experiment = offline(tmp_path).experiment
    assert experiment.offline
    assert (experiment.project, experiment.group, experiment.job_type) == ("latentlab", "g", "train")
    assert experiment.tags == ("a", "b")
    (line,) = own_lines(caplog)
    assert "offline, no key" in line
    assert f"wandb sync {tmp_path}/wandb/offline-run-*" in line
    assert list(tmp_path.glob("wandb/offline-run-*"))


def test_an_offline_run_leaves_the_environment_as_it_is(tmp_path):
    assert offline(tmp_path).experiment.offline
    assert "WANDB_MODE" not in os.environ


@pytest.mark.parametrize(("mode", "logged"), [("offline", "offline, WANDB_MODE"), ("disabled", "disabled, WANDB_MODE")])
def test_the_mode_that_the_user_sets_takes_precedence(tmp_path, monkeypatch, caplog, mode, logged):
    caplog.set_level(logging.INFO, "latentlab.training.tracking")
    monkeypatch.setenv("WANDB_MODE", mode)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    logger = offline(tmp_path)
    log_figure([logger], tmp_path, "val/line", line(), step=0)
    log_hyperparameters([logger], {"a": 1}, {"test/mse": 1.0})
    assert logged in caplog.text
    assert bool(list(tmp_path.glob("wandb/offline-run-*"))) == (mode == "offline")


def test_a_malformed_key_is_named_and_the_run_continues_offline(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "latentlab.training.tracking")
    monkeypatch.setenv("WANDB_API_KEY", "short")
    assert offline(tmp_path).experiment.offline
    assert "WANDB_API_KEY invalid" in caplog.text


@pytest.mark.usefixtures("refusing_server")
def test_a_refused_key_leaves_the_run_offline(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "latentlab.training.tracking")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    started = time.monotonic()
    assert offline(tmp_path).experiment.offline
    assert time.monotonic() - started < 10
    assert "W&B: offline" in caplog.text


@pytest.mark.long
def test_a_server_that_does_not_answer_costs_a_few_seconds(tmp_path, silent_server, caplog):
    caplog.set_level(logging.INFO, "latentlab.training.tracking")
    (tmp_path / "netrc").write_text(f"machine {silent_server} login user password {KEY}\n")
    (tmp_path / "netrc").chmod(0o600)
    started = time.monotonic()
    logger = offline(tmp_path)
    assert time.monotonic() - started < 8
    assert logger.experiment.offline
    assert "no answer within 5 s" in caplog.text

"""TensorBoard and W&B get the same keys, values, steps and pixels of every job of a sweep."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.wandb_files import pixels_of, records

JOB = [
    *("data=digits", "data.image_size=8", "trainer=cpu", "trainer.max_epochs=2", "logger=all", "sweep.report=false"),
    *("callbacks.reconstructions.every_n_epochs=1", "logger.csv=null"),
]


@pytest.fixture
def jobs(run_hydra, tmp_path, monkeypatch):
    """{name: folder} of a sweep called `both`, logged to both."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert run_hydra(["-m", *JOB, "model=ae,cvae", "sweep.name=both"]) == 0
    return {path.parent.name: path.parent for path in tmp_path.glob("outputs/sweeps/both/*/metrics.json")}


def of_tensorboard(folder):
    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    names = [tag for tag in events.Tags()["scalars"] if "/" in tag]
    scalars = {(tag, event.step): event.value for tag in names for event in events.Scalars(tag)}
    images = {
        (tag, event.step): pixels_of(event.encoded_image_string)
        for tag in events.Tags()["images"]
        for event in events.Images(tag)
    }
    return {key: value for key, value in scalars.items() if not np.isnan(value)}, images


def of_wandb(folder):
    (offline,) = folder.glob("wandb/offline-run-*")
    logged = records(offline)
    history = [record["history"]["item"] for record in logged if record["type"] == "history"]
    scalars, images = {}, {}
    for item in history:
        step = item["trainer/global_step"]
        for key, value in item.items():
            if key.endswith(".path"):
                images[key.removesuffix(".path"), step] = pixels_of((offline / "files" / value).read_bytes())
            elif key.split("/")[0] in ("train", "val", "test"):
                scalars[key, step] = value
    (run,) = [record["run"] for record in logged if record["type"] == "run"]
    return scalars, images, run


@pytest.mark.slow
def test_both_loggers_have_the_same_metrics_and_images(jobs):
    assert jobs.keys() == {"model=ae", "model=cvae"}
    for name, folder in jobs.items():
        board, board_images = of_tensorboard(folder)
        scalars, images, run = of_wandb(folder)
        assert (run["run_group"], run["display_name"], run["job_type"]) == ("both", name, "train")
        assert set(run["tags"]) == {name.removeprefix("model="), "mlp", "digits"}
        assert scalars.keys() == board.keys()
        assert scalars == pytest.approx(board, rel=1e-6)
        assert {"train/objective", "val/mse", "test/mse"} <= {key for key, _ in scalars}
        assert images.keys() == board_images.keys()
        assert {key for key, _ in images} == {"reconstructions", "samples", "latent_plane", "unit_activity"}
        assert sum(key == "reconstructions" for key, _ in images) == 2  # after the first epoch, and of the best
        for key, pixels in images.items():
            assert np.array_equal(pixels, board_images[key])
            assert pixels.min() < 200 < pixels.max()

"""Seconds from the command to the help, to the error message and to the first training step; the peak memory."""

import tempfile
import time
from typing import Any

from lightning.pytorch import Callback, Trainer

from benchmarks.processes import Finished, mnist_root, run, train
from benchmarks.results import Bar, Results, median

ROUNDS = 5
TRAIN = ["-m", "latentlab", "train"]


class FirstStep(Callback):
    """Prints the time at which the first step was done, and ends the training."""

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        trainer.should_stop = True
        self.done = time.time()

    def on_test_end(self, *_: Any) -> None:
        print(f"\n{self.done}")


def measure() -> Results:
    sides = {
        "--help": lambda folder: run([*TRAIN, "--help"]).seconds,
        "a mistyped key": lambda folder: run([*TRAIN, "model.latent_dmi=3"], status=1).seconds,
        "first training step": _first_step,
    }
    bounds = {"--help": 0.5, "a mistyped key": 0.5, "first training step": 6.0}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS + 1):  # the first round fills the caches
        for name, side in sides.items():
            with tempfile.TemporaryDirectory() as folder:
                times[name].append(side(folder))
    results = Results("start", "Seconds from the command", drawn=("seconds",), unit="seconds")
    for name, found in times.items():
        seconds = median(found[1:])
        results.rows.append({"what": name, "seconds": seconds})
        results.bars.append(Bar(f"{name}, seconds", seconds, bounds[name]))
    peak = median([_training(model).peak_mib / 1024 for model in ("vae", "cvae", "sparse_ae")])
    results.rows.append({"what": "peak memory of three epochs on MNIST, GiB", "seconds": None, "GiB": peak})
    results.bars.append(Bar("largest resident set, GiB", peak, 1.3))
    return results


def _first_step(folder: str) -> float:
    """As a user starts it, except that a call is one step, and the training ends after it."""
    began = time.time()
    whole = run(
        [
            *TRAIN,
            f"data.root={mnist_root()}",
            f"hydra.run.dir={folder}",
            "trainer.steps_per_call=1",
            "trainer.max_epochs=1",
            "+callbacks.first._target_=benchmarks.start.FirstStep",
            "quiet=true",
        ]
    )
    return float(_line_with_time(whole)) - began


def _line_with_time(whole: Finished) -> str:
    return next(line for line in reversed(whole.output.splitlines()) if line.replace(".", "").isdigit())


def _training(model: str) -> Finished:
    with tempfile.TemporaryDirectory() as folder:
        return train(folder, f"model={model}", "trainer.max_epochs=3")[1]

"""The cost of each callback in ten epochs, summed over its hooks, beside the training itself."""

import tempfile
from collections import defaultdict
from typing import ClassVar

from hydra import compose, initialize_config_dir
from lightning.pytorch.profilers import SimpleProfiler
from omegaconf import open_dict

from benchmarks.processes import mnist_root
from benchmarks.results import Results
from latentlab.commands.experiment import train
from latentlab.config.config_dir import config_dir

EPOCHS = 10


class KeptProfiler(SimpleProfiler):
    """Lightning's profiler, of which the latest instance can be read after the training."""

    latest: ClassVar["KeptProfiler"]

    def __init__(self) -> None:
        super().__init__()
        KeptProfiler.latest = self

    def summary(self) -> str:
        return ""


def measure() -> Results:
    with tempfile.TemporaryDirectory() as folder:
        options = [f"data.root={mnist_root()}", f"trainer.max_epochs={EPOCHS}", f"paths.run_dir={folder}"]
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            config = compose("train", [*options, "callbacks=projector"])
        with open_dict(config):
            config.trainer.profiler = {"_target_": "benchmarks.callbacks.KeptProfiler"}
        metrics = train(config, quiet=True)
    spent: dict[str, float] = defaultdict(float)
    for action, durations in KeptProfiler.latest.recorded_durations.items():
        if action.startswith("[Callback]"):
            name = action.removeprefix("[Callback]").partition(".")[0].partition("{")[0]
            spent[name] += sum(durations)
    title = f"Seconds in {EPOCHS} epochs and the test, {metrics['train_seconds']:.1f} s of them training"
    results = Results("callbacks", title, label="callback", drawn=("seconds",), unit="seconds")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        results.rows.append(
            {"callback": name, "seconds": seconds, "fraction of training": seconds / metrics["train_seconds"]}
        )
    return results

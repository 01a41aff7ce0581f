"""What each callback costs in ten epochs, hook by hook, beside the training itself."""

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


class Kept(SimpleProfiler):
    """Lightning's profiler, which can be asked afterwards."""

    latest: ClassVar["Kept"]

    def __init__(self) -> None:
        super().__init__()
        Kept.latest = self

    def summary(self) -> str:
        return ""


def measure() -> Results:
    with tempfile.TemporaryDirectory() as folder:
        options = [f"data.root={mnist_root()}", f"trainer.max_epochs={EPOCHS}", f"paths.run_dir={folder}"]
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            config = compose("train", [*options, "callbacks=projector"])
        with open_dict(config):
            config.trainer.profiler = {"_target_": "benchmarks.callbacks.Kept"}
        metrics = train(config, quiet=True)
    spent: dict[str, float] = defaultdict(float)
    for action, durations in Kept.latest.recorded_durations.items():
        if action.startswith("[Callback]"):
            name = action.removeprefix("[Callback]").partition(".")[0].partition("{")[0]
            spent[name] += sum(durations)
    title = f"Seconds in {EPOCHS} epochs and the test, {metrics['train_seconds']:.1f} s of training among them"
    results = Results("callbacks", title, label="callback", drawn=("seconds",), unit="seconds")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        results.rows.append(
            {"callback": name, "seconds": seconds, "share of training": seconds / metrics["train_seconds"]}
        )
    return results

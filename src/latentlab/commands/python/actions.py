"""Train, load and evaluate, from Python."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Literal

from latentlab.commands.keys_only import output_folder, value_of
from latentlab.commands.python.arguments import expect_whole_number, refuse_other_than, refuse_other_than_texts
from latentlab.commands.python.arrays import ArrayData
from latentlab.commands.python.trained_run import TrainedRun
from latentlab.errors import ConfigError, DataError

if TYPE_CHECKING:
    import torch
    from omegaconf import DictConfig

    from latentlab.evaluation.measurements import Measurement


def train(
    *overrides: str, name: str | None = None, data: ArrayData | None = None, config_dir: str | Path | None = None
) -> TrainedRun:
    """Train one model in this process, as `latentlab train` does with the same overrides.

    overrides: such as "model=cvae", "data=digits", "trainer.max_epochs=3".
    name: of its folder below outputs/runs; None: time, variant and data.
    data: the user's own arrays, in place of a `data=` override.
    config_dir: a folder of further configs.

    Raises:
        UserError: a mistake in the overrides, the data or the folder, or the objective became NaN or infinite.
        KeyboardInterrupt: the run was interrupted after its state was saved; "resume=FOLDER" continues it.
    """
    from latentlab.commands.job import job, refuse_unsound
    from latentlab.commands.python.process import as_the_command_line
    from latentlab.commands.train import of_a_training
    from latentlab.config.command_line import run_in_python
    from latentlab.config.exit_status import mistakes_raised

    refuse_other_than_texts(overrides)
    refuse_other_than((str, NoneType), "a text", name=name)
    refuse_other_than((str, PathLike, NoneType), "a folder", config_dir=config_dir)
    if data is not None and not isinstance(data, ArrayData):
        raise ConfigError(
            f"data: expected ll.ArrayData(x, y), found {type(data).__name__}; or an override 'data=digits'"
        )
    given = [*overrides, *([] if name is None else [f"name={name}"])]
    if data is not None and (chosen := value_of("data", given)) is not None:
        raise ConfigError(f"data: given twice, as arrays and as data={chosen}; leave one out")
    if data is not None and value_of("resume", given) not in (None, "null"):
        raise ConfigError("data: the run to resume keeps its data; leave it out")
    arrays = None
    if data is not None:
        with mistakes_raised():
            arrays = data.packed(output_folder(given).absolute() / "arrays")
        given += arrays.overrides
    folders: list[Path] = []
    written: list[Path] = []

    def check_and_write(config: DictConfig) -> None:
        refuse_unsound(config)
        if arrays is not None and arrays.write():
            written.append(arrays.file)

    def train_and_remember(config: DictConfig) -> float:
        folders.append(Path(config.resume or config.paths.run_dir))
        return job(config)

    folder = [] if config_dir is None else ["--config-dir", str(config_dir)]
    with as_the_command_line(["train", *folder, *given]):
        try:
            run_in_python(train_and_remember, "train", of_a_training(given), config_dir, check_and_write)
        except DataError:
            for file in written:  # no run can use it
                file.unlink(missing_ok=True)
            raise
    return TrainedRun(folders[0])


def load(folder: TrainedRun | str | Path) -> TrainedRun:
    """The run in a folder.

    folder: such as "outputs/runs/first", or a job's of a sweep.

    Raises:
        UserError: it is no run's folder.
    """
    refuse_other_than((TrainedRun, str, PathLike), "a run's folder", run=folder)
    return folder if isinstance(folder, TrainedRun) else TrainedRun(folder)


def evaluate(
    run: TrainedRun | str | Path,
    suite: Literal["quick", "full"] = "quick",
    *,
    samples: int | None = None,
    device: str | torch.device = "auto",
    data_root: str | Path | None = None,
    output_dir: str | Path = "outputs",
    measurements: Mapping[str, Measurement] = MappingProxyType({}),
) -> TrainedRun:
    """Measure a complete run on the test images, as `latentlab evaluate` does; its metrics are in the run's `metrics`.

    run: as `train` and `load` return it, or its folder.
    suite: quick or full.
    samples: codes per image for the log-likelihood; None: 10 in the quick suite, 200 in the full one.
    device: auto, cpu, cuda, cuda:1.
    data_root: the folder of the data, if it is no longer where the run found it.
    output_dir: below it, what all runs on the same data share is kept: reference_classifiers, reference_denoisers and
        baselines.
    measurements: of your own, by name: functions of a `latentlab.evaluation.subject.Subject` that yield (name, value).

    Raises:
        UserError: the run is not complete, or its data or the device cannot be used.
    """
    from latentlab.commands.python.process import as_the_command_line
    from latentlab.config.exit_status import mistakes_raised
    from latentlab.evaluation.evaluate_run import evaluate_run
    from latentlab.evaluation.suites import SUITES
    from latentlab.runs import Run
    from latentlab.runs.lock import held
    from latentlab.training.restore import refuse_incomplete, reopened_loggers, trusted_config

    refuse_other_than(str, "a text", suite=suite)
    samples = None if samples is None else expect_whole_number("samples", samples)
    refuse_other_than((str, PathLike), "a folder", output_dir=output_dir)
    refuse_other_than((str, PathLike, NoneType), "a folder", data_root=data_root)
    refuse_other_than(Mapping, "{name: function}", measurements=measurements)
    for name, measurement in measurements.items():
        refuse_other_than(str, "a name as a text", measurements=name)
        if not callable(measurement):
            raise ConfigError(f"measurements.{name}: expected a function of the Subject, found {measurement!r}")
    if suite not in SUITES:
        raise ConfigError(f"suite: expected {' or '.join(SUITES)}, found {suite}")
    loaded = load(run)
    folder, root = Run(loaded.folder), None if data_root is None else str(data_root)
    refuse_incomplete(folder)
    with as_the_command_line(["evaluate", str(loaded.folder)]), mistakes_raised(), held(folder.folder):
        config = trusted_config(folder)
        evaluate_run(
            folder,
            config,
            suite,
            str(output_dir),
            reopened_loggers(folder, config),
            quiet=True,
            samples=samples,
            device=str(device),
            root=root,
            own=measurements,
        )
    return loaded

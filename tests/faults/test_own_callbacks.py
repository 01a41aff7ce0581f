"""What a callback or a data set of the user's own does in the middle of a run."""

import signal
from pathlib import Path

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer

import latentlab as ll
from latentlab.data.digits import DigitsDataModule
from latentlab.data.images import Splits
from latentlab.runs import Run
from tests.faults.causes import RUN

SHORT = [*RUN, "trainer.max_epochs=1", "logger=none"]


class CtrlC(Callback):
    """Stands for a Ctrl-C that comes in one hook."""

    def __init__(self, hook: str) -> None:
        setattr(self, hook, lambda *_, **__: signal.raise_signal(signal.SIGINT))


class Fails(Callback):
    """Raises in a hook what a missing file or a lost server raises."""

    def __init__(self, found: str) -> None:
        self._found = found

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._found == "file":
            Path("weights.txt").read_text()
        raise ConnectionError("no answer")


class NoDigits(DigitsDataModule):
    def _load(self) -> Splits:
        raise OSError("the server is asleep")


def own(kind: type, **options: str) -> list[str]:
    node = {"_target_": f"{kind.__module__}.{kind.__qualname__}", **options}
    return [f"+callbacks.own.{key}={value}" for key, value in node.items()]


@pytest.mark.parametrize("hook", ["on_train_end", "on_fit_end", "teardown", "on_test_end"])
def test_a_ctrl_c_in_a_hook_at_the_end_stops_the_run(train, hook):
    run = train(*SHORT, *own(CtrlC, hook=hook), status=130)
    assert run.status["status"] == "interrupted"
    assert run.status["reason"] == "signal 2"


def test_a_ctrl_c_at_the_end_is_a_keyboard_interrupt_in_python(folder):
    with pytest.raises(KeyboardInterrupt):
        ll.train(*SHORT, *own(CtrlC, hook="on_train_end"), name="stopped")
    assert ll.load("outputs/runs/stopped").status == "interrupted"


OWN_ERRORS = {
    "tests.faults.test_own_callbacks.Fails.on_train_start": [
        (own(Fails, found="file"), "FileNotFoundError: [Errno 2] No such file or directory: 'weights.txt'"),
        (own(Fails, found="server"), "ConnectionError: no answer"),
    ],
    "tests.faults.test_own_callbacks.NoDigits._load": [
        ([f"data._target_={__name__}.NoDigits"], "OSError: the server is asleep")
    ],
}


@pytest.mark.parametrize(
    ("where", "options", "raised"), [(where, *case) for where, cases in OWN_ERRORS.items() for case in cases]
)
def test_an_error_of_ones_own_class_names_the_class_and_not_the_disk(train, capfd, where, options, raised):
    run: Run = train(*SHORT, *options, status=1)
    error = capfd.readouterr().err
    assert f"error: {where} raised {raised} (test_own_callbacks.py, line " in error
    assert "paths.output_dir" not in error
    assert "Traceback" not in error
    assert where in run.status["reason"]

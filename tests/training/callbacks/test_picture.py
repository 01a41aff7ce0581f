from typing import ClassVar, final

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from latentlab.runs import Run
from latentlab.training.callbacks.picture import PictureCallback, run_line
from tests.training.callbacks.short_runs import fit_and_test


@final
class Diary(PictureCallback):
    """Keeps when it drew, in which state the model was, and the line below the title."""

    key: ClassVar[str] = "diary"

    def __init__(self, every_n_epochs: int, keep_epochs: bool = False) -> None:
        super().__init__(every_n_epochs, keep_epochs)
        self.epochs, self.states, self.lines = [], [], []

    def picture(self, trainer, model):
        self.epochs.append("test" if trainer.testing else trainer.current_epoch + 1)
        self.states.append((model.training, torch.is_grad_enabled()))
        self.lines.append(run_line(trainer, model, "Nothing."))
        return Figure(figsize=(1, 1))


@final
class StopAfter(Callback):
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = trainer.current_epoch + 1 >= self.epoch


@pytest.mark.parametrize(
    ("every", "epochs", "drawn"),
    [(1, 3, [1, 2, "test"]), (2, 5, [2, 4, "test"]), (2, 4, [2, "test"]), (3, 2, ["test"])],
)
def test_pictures_come_every_n_epochs_and_the_last_one_with_the_test(tmp_path, every, epochs, drawn):
    diary = Diary(every)
    fit_and_test(tmp_path, "ae", diary, epochs=epochs)
    assert diary.epochs == drawn


def test_a_run_that_stops_early_draws_its_last_epoch_in_the_test_alone(tmp_path):
    diary = Diary(1)
    fit_and_test(tmp_path, "ae", StopAfter(2), diary, epochs=9)
    assert diary.epochs == [1, "test"]


def test_a_picture_sees_evaluation_mode_and_no_gradients_and_training_continues_after_it(tmp_path):
    diary = Diary(1)
    _, model = fit_and_test(tmp_path, "ae", diary, epochs=2)
    assert diary.states == [(False, False)] * 2
    assert model.training


def test_the_line_below_the_title_names_variant_data_seed_run_and_epoch(tmp_path):
    diary = Diary(1)
    fit_and_test(tmp_path / "a-run", "vae", diary, epochs=2)
    assert diary.lines == [
        "VAE on digits, seed 0, run a-run, after epoch 1. Nothing.",
        "VAE on digits, seed 0, run a-run, last weights. Nothing.",
    ]


def test_the_folder_holds_the_last_picture_and_tensorboard_all_of_them(tmp_path):
    logger = TensorBoardLogger(tmp_path, name=None, version="")
    fit_and_test(tmp_path, "ae", Diary(1), epochs=3, logger=logger)
    assert [file.name for file in (tmp_path / "figures").iterdir()] == ["diary.png"]
    logger.save()
    images = EventAccumulator(logger.log_dir).Reload().Images("diary")
    assert [image.step for image in images] == [3, 6, 9]


def test_the_pictures_of_the_epochs_stay_where_they_are_to_be_kept(tmp_path):
    fit_and_test(tmp_path, "ae", Diary(2, keep_epochs=True), epochs=5)
    run = Run(tmp_path)
    assert [file.name for file in run.figures] == ["diary.png"]
    assert run.figures_by_epoch == {
        "diary": {epoch: tmp_path / "figures" / "diary" / f"epoch_000{epoch}.png" for epoch in (2, 4)}
    }


@pytest.mark.parametrize("every", [0, -1])
def test_never_is_no_number_of_epochs(every):
    with pytest.raises(ValueError, match=rf"^every_n_epochs: .* found {every};"):
        Diary(every)

import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from matplotlib.image import imread

from latentlab.errors import ConfigError
from latentlab.training.callbacks.projector import Projector
from tests.training.callbacks.short_runs import digits, fit_and_test, model_of, trainer_with


def test_codes_labels_and_thumbnails_are_written_once_at_the_end(tmp_path):
    logger = TensorBoardLogger(tmp_path, name=None, version="")
    _, model = fit_and_test(tmp_path, "vae", Projector(images=50), epochs=2, logger=logger)
    assert (tmp_path / "projector_config.pbtxt").read_text().count("embeddings {") == 1
    (tensors,) = tmp_path.rglob("tensors.tsv")
    batch = next(iter(digits().val_dataloader()))
    codes = [[float(value) for value in line.split("\t")] for line in tensors.read_text().splitlines()]
    expected = model.encode(batch.x[:50], batch.y[:50]).z.flatten().tolist()
    assert [value for row in codes for value in row] == pytest.approx(expected, abs=1e-4)
    labels = tensors.with_name("metadata.tsv").read_text().splitlines()
    assert labels == [str(y) for y in batch.y[:50].tolist()]
    sprites = imread(tensors.with_name("sprite.png"))
    assert sprites.shape[:2] == (64, 64)  # 8 x 8 thumbnails of 8 x 8 pixels
    assert sprites[:8, :8, 0] == pytest.approx(batch.x[0, 0].numpy(), abs=1 / 255)


def test_a_run_without_tensorboard_stops_before_it_trains(tmp_path):
    data = digits()
    trainer = trainer_with(tmp_path, Projector(images=5), logger=CSVLogger(tmp_path))
    with pytest.raises(ConfigError, match=r"^callbacks\.projector: expected a TensorBoard logger"):
        trainer.fit(model_of("ae", data), datamodule=data)
    assert trainer.global_step == 0


def test_no_images_are_no_projection():
    with pytest.raises(ValueError, match=r"^images: expected 1 or more, found 0"):
        Projector(images=0)

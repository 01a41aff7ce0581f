"""What a resumed training continues from, and where it lies."""

from latentlab.runs import Run

SHORT = ("data=digits", "data.image_size=8", "net.widths=[8]", "trainer=cpu", "callbacks=no_pictures", "logger=none")


def test_epochs_whose_last_checkpoint_is_missing_are_not_overwritten(train, capfd):
    run = train(*SHORT, "trainer.max_epochs=2")
    run.last_checkpoint.unlink()
    before = {file: file.read_bytes() for file in run.folder.rglob("*") if file.is_file() and file.name != "train.log"}
    train(f"resume={run.folder}", "trainer.max_epochs=3", status=1)
    assert "lacks checkpoints/last.ckpt, from which it continues; start a new run" in capfd.readouterr().err
    assert {file: file.read_bytes() for file in before} == before


def test_a_run_in_a_linked_folder_is_evaluated_renamed_and_resumed(train, tmp_path):
    (tmp_path / "elsewhere" / "deeper").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "deeper")
    run = train(*SHORT, "trainer.max_epochs=1", folder="link/run")
    assert run.metrics["checkpoint"] == "checkpoints/best.ckpt"
    run.write_metrics({**run.metrics, "checkpoint": "../../elsewhere/run/checkpoints/best.ckpt"})  # as until 0.2.0
    run.folder.rename(tmp_path / "renamed")
    assert Run(tmp_path / "renamed").best_checkpoint is not None
    assert train("resume=renamed", "trainer.max_epochs=2", folder="renamed").metrics["epochs"] == 2

"""What a killed process leaves of unfinished writes is removed when the run is resumed."""

import pytest

from latentlab.runs import Run
from latentlab.runs.files import write_atomically

FILES = ["status.json", ".hydra/resolved.yaml", "checkpoints/last.ckpt", "figures/samples.png", "figures/samples/1.png"]


@pytest.mark.parametrize("file", FILES)
def test_a_draft_is_removed_wherever_a_run_writes_and_the_file_itself_stays(tmp_path, monkeypatch, file):
    write_atomically(tmp_path / file, "whole")

    def killed(number):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", killed)
        patched.setattr("pathlib.Path.unlink", lambda *given, **named: None)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(tmp_path / file, "half")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
    Run(tmp_path).remove_drafts()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == [file]
    assert (tmp_path / file).read_text() == "whole"

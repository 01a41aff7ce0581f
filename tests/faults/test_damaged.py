"""Files of a run that are damaged, or were made to do harm: each is named in one line, and nothing in them is executed.

Found by resuming the run, by measuring it, and by comparing it.
"""

import json
import sys
from pathlib import Path

import pytest

from latentlab.__main__ import main

PICTURE = "figures/samples.png"


def page(tmp_path: Path) -> str:
    return (tmp_path / "page" / "report.html").read_text()


BAD_JSON = [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"metrics": 3, "epochs": "x"}', b"[" * 9999]
BAD_YAML = [b"", b"a: [", b"3", b"\xff\xfe\x00", b"model: 5", b"a: &a [*a]", b"[" * 9999]


@pytest.mark.parametrize("content", BAD_JSON)
def test_metrics(run, answer, tmp_path, content):
    (run / "metrics.json").write_bytes(content)
    for name in ("resuming", "measuring"):
        status, message = answer(name)
        assert status == 1
        assert "metrics.json is damaged" in message
    assert answer("comparing")[0] == 0
    assert "metrics.json is damaged" in page(tmp_path) or content == b"{}"


@pytest.mark.parametrize(
    ("key", "value"), [("versions", 3), ("versions", [1]), ("evaluation", [1]), ("steps", "x"), ("checkpoint", [1])]
)
def test_metrics_of_the_wrong_kind(run, answer, key, value):
    file = run / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    for name in ("resuming", "measuring"):
        status, message = answer(name)
        assert status == 1
        assert f"metrics.json is damaged ({key} is" in message


@pytest.mark.parametrize("value", ["[1]", "foo", "null"])
def test_a_config_with_a_value_of_the_wrong_kind(run, answer, value):
    file = run / ".hydra" / "resolved.yaml"
    file.write_text(file.read_text().replace("beta: 1.0", f"beta: {value}"))
    status, message = answer("measuring")
    assert status == 1
    assert "resolved.yaml is damaged (model.beta: expected float" in message


@pytest.mark.parametrize("content", BAD_JSON)
def test_a_status_does_not_matter_to_a_complete_run(run, answer, content):
    (run / "status.json").write_bytes(content)
    assert [answer(name)[0] for name in ("comparing", "measuring", "resuming")] == [0, 0, 0]


@pytest.mark.parametrize("content", BAD_YAML)
def test_a_config(run, answer, tmp_path, content):
    (run / ".hydra" / "resolved.yaml").write_bytes(content)
    for name in ("resuming", "measuring"):
        status, message = answer(name)
        assert status == 1
        assert "resolved.yaml is damaged" in message
    assert answer("comparing")[0] == 0
    assert "resolved.yaml" in page(tmp_path)


@pytest.mark.parametrize(
    "content", [*BAD_YAML, b"- 3", b"- hydra.job.chdir=true", b"- --config-dir=.", b"- model=../x"]
)
def test_overrides(run, answer, content):
    (run / ".hydra" / "overrides.yaml").write_bytes(content)
    status, message = answer("resuming")
    assert status == 1
    assert "overrides.yaml" in message


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[]\n{}\n", b"x" * 100_000])
def test_curves_are_added_to_and_drawn_as_far_as_they_go(run, answer, content):
    (run / "history.jsonl").write_bytes(content)
    assert [answer(name)[0] for name in ("comparing", "resuming")] == [0, 0]
    assert json.loads((run / "history.jsonl").read_bytes().splitlines()[-1])["epoch"] == 2


def test_an_event_file_or_a_picture_costs_nothing_else(run, answer, tmp_path):
    for events in run.glob("events.out.tfevents.*"):
        events.write_bytes(events.read_bytes()[:99] + b"\0nonsense")
    (run / PICTURE).write_bytes(b"\x89PNG\r\n\x1a\n, or not")
    assert [answer(name)[0] for name in ("comparing", "measuring", "resuming")] == [0, 0, 0]
    assert "samples.png is damaged" in page(tmp_path)


def whatever(kind: str, path: Path) -> Path:
    match kind:
        case "a file":
            path.touch()
        case "an empty folder":
            path.mkdir()
        case "a link to itself":
            path.symlink_to(path)
        case "a name that is too long":
            return path.with_name("x" * 3000)
    return path


@pytest.mark.parametrize(
    "kind", ["nothing", "a file", "an empty folder", "a link to itself", "a name that is too long"]
)
def test_what_is_no_run_is_named(run, tmp_path, monkeypatch, capfd, kind):
    path = whatever(kind, tmp_path / "it")
    for program, argument in (
        ("train", "resume"),
        ("evaluate", "run"),
        ("report", "sweep"),
    ):
        monkeypatch.setattr(sys, "argv", ["latentlab", program, f"{argument}={path}"])
        with pytest.raises(SystemExit) as ended:
            main()
        error = capfd.readouterr().err
        assert ended.value.code == 1
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert path.name[:50] in error
    assert {path.name for path in tmp_path.iterdir()} <= {"run", "it"}

"""Files of a run that are damaged, or were made to do harm: each is named in one line, and nothing in them is executed.

Found by resuming the run, by measuring it, and by comparing it.
"""

import json
import os
import pickle
import shutil
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from lightning.pytorch import Callback

from latentlab.__main__ import main
from latentlab.evaluation.suites import SUITES, Suite
from tests.faults.causes import RUN, done_here

ON = "trainer.max_epochs=2"  # one more than the run has
PICTURE = "figures/samples.png"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a complete run."""
    folder = tmp_path_factory.mktemp("whole")
    done_here(folder, *RUN, "trainer.max_epochs=1")
    (folder / "run" / "figures").mkdir(exist_ok=True)
    torch.manual_seed(0)
    return folder / "run"


@pytest.fixture
def run(whole, tmp_path, monkeypatch):
    """A copy of it in an empty folder, in which commands are given; measuring it takes no time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(SUITES, "quick", Suite(1, {}, {}))
    return Path(shutil.copytree(whole, tmp_path / "run"))


@pytest.fixture
def answer(run, tmp_path, monkeypatch, capfd):
    """(resuming | measuring | comparing) -> exit status and message; never a traceback, nor anything executed."""
    commands = {
        "resuming": ("train", [f"resume={run}", ON]),
        "measuring": ("evaluate", [f"run={run}", "suite=quick"]),
        "comparing": ("report", [f"runs=[{run}]", f"output={tmp_path}/page"]),
    }

    def call(name: str) -> tuple[int, str]:
        program, arguments = commands[name]
        monkeypatch.setattr(sys, "argv", ["latentlab", program, *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        output, error = capfd.readouterr()
        assert "Traceback" not in output + error
        assert not (tmp_path / "executed").exists()
        if ended.value.code:
            assert len([line for line in error.splitlines() if line.startswith("error: ")]) == 1
        return ended.value.code, output + error

    return call


def page(tmp_path: Path) -> str:
    return (tmp_path / "page" / "report.html").read_text()


BAD_JSON = [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"metrics": 3, "epochs": "x"}', b"[" * 9999]
BAD_YAML = [b"", b"a: [", b"3", b"\xff\xfe\x00", b"model: 5", b"a: &a [*a]", b"[" * 9999]


@pytest.mark.parametrize("content", BAD_JSON)
def test_figures(run, answer, tmp_path, content):
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
def test_figures_of_the_wrong_kind(run, answer, key, value):
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


class Bomb:
    def __reduce__(self):
        return os.system, ("touch executed",)


def bombs() -> dict[str, bytes]:
    return {"a pickle": pickle.dumps(Bomb()), "an old pickle": pickle.dumps({"state_dict": Bomb()}, protocol=0)}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nonsense", *bombs().values()])
def test_a_checkpoint(run, answer, content):
    for file in (run / "checkpoints").iterdir():
        file.write_bytes(content)
    for name in ("resuming", "measuring"):
        status, message = answer(name)
        assert status == 1
        assert ".ckpt is damaged" in message


def change_one_bit(checkpoint: Path) -> None:
    """Of the largest tensor."""
    with ZipFile(checkpoint) as archive:
        weights = max(archive.infolist(), key=lambda member: member.file_size)
    content = bytearray(checkpoint.read_bytes())
    end = content.index(b"PK\x07\x08", weights.header_offset)  # the end of the weights
    content[end - 9] ^= 16
    checkpoint.write_bytes(content)


class OneBit(Callback):
    """Changes it in the best checkpoint before the final test."""

    def on_fit_end(self, trainer, pl_module) -> None:
        change_one_bit(Path(trainer.checkpoint_callback.best_model_path))


def test_one_bit_of_the_checkpoint_that_is_to_be_tested(train, capfd):
    train(*RUN, f"+callbacks.one_bit._target_={__name__}.OneBit", status=1)
    assert "best.ckpt is damaged; train the run again" in capfd.readouterr().err


def test_one_bit_of_a_checkpoint_s_weights(run, answer):
    for file in (run / "checkpoints").iterdir():
        change_one_bit(file)
    for name in ("resuming", "measuring"):
        status, message = answer(name)
        assert status == 1
        assert ".ckpt is damaged" in message


def test_a_checkpoint_in_torch_s_own_format_that_is_to_execute_something(run, answer):
    for file in (run / "checkpoints").iterdir():
        torch.save({**torch.load(file, weights_only=True), "data": Bomb()}, file)
    for name in ("resuming", "measuring"):
        status, message = answer(name)
        assert status == 1
        assert ".ckpt is damaged" in message


def changed(**changes: object):
    return lambda content: content | changes


def with_nan(content: dict) -> dict:
    name, weight = next(iter(content["state_dict"].items()))
    return content | {"state_dict": content["state_dict"] | {name: weight * torch.nan}}


def of_another_net(content: dict) -> dict:
    return content | {"state_dict": {name: weight[:1] for name, weight in content["state_dict"].items()}}


STRANGE = {
    "a list": lambda content: [1, 2],
    "a tensor": lambda content: torch.zeros(3),
    "None": lambda content: None,
    "nothing": lambda content: {},
    "no weights": changed(state_dict=None),
    "weights of other types": changed(state_dict={"a": 3}),
    "NaN": with_nan,
    "another net": of_another_net,
    "another variant": lambda content: content | {"state_dict": dict(list(content["state_dict"].items())[1:])},
}
OF_THE_TRAINING = {
    "no loops": changed(loops=None),
    "loops of other types": changed(loops={"fit_loop": 3}),
    "no optimizer": changed(optimizer_states=[]),
    "an optimizer of other types": changed(optimizer_states=[3]),
    "no means": lambda content: {key: value for key, value in content.items() if key != "train_means"},
}


@pytest.mark.parametrize("kind", [*STRANGE, *OF_THE_TRAINING])
def test_a_checkpoint_that_holds_something_else(run, answer, kind):
    for file in (run / "checkpoints").iterdir():
        content = torch.load(file, weights_only=True)
        torch.save((STRANGE | OF_THE_TRAINING)[kind](content), file)
    for name in ("resuming", "measuring") if kind in STRANGE else ("resuming",):
        status, message = answer(name)
        assert status == 1
        assert ".ckpt is damaged" in message or ".ckpt does not fit" in message


TAGS = ["!!python/object/apply:os.system ['touch executed']", "!!python/object/new:os.system ['touch executed']"]


@pytest.mark.parametrize("file", ["resolved.yaml", "overrides.yaml"])
@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_of_yaml_s_is_not_obeyed(run, answer, file, tag):
    content = (run / ".hydra" / file).read_text()
    (run / ".hydra" / file).write_text(f"- {tag}\n" if file.startswith("over") else f"{content}\nx: {tag}\n")
    message = [answer(name) for name in ("resuming", "measuring", "comparing")]
    assert message[0][0] == 1
    assert file in message[0][1]


SYSTEM = "{_target_:os.system,command:touch executed}"
FOREIGN = {
    "a callback": [f"+callbacks.evil={SYSTEM}"],
    "a component of a component": [f"data.root={SYSTEM}"],
    "a way round": [
        "+callbacks.evil={_target_:latentlab.evaluation.metrics.restoration.torch.hub.load,repo_or_dir:x,model:y}"
    ],
    "a file": ["+callbacks.evil={_target_:latentlab.runs.run.write_atomically,file:executed,content:x}"],
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_run_s_own_config_names_no_foreign_code(run, answer, kind):
    from omegaconf import OmegaConf

    file = run / ".hydra" / "overrides.yaml"
    OmegaConf.save([*OmegaConf.load(file), *FOREIGN[kind]], file)
    status, message = answer("resuming")
    assert status == 1
    assert "error: " in message
    assert "_target_" in message


@pytest.mark.parametrize("key", ["data", "logger.evil", "net.encoder", "data.root"])
def test_nor_does_the_config_that_it_is_measured_by(run, answer, key):
    from omegaconf import OmegaConf

    file = run / ".hydra" / "resolved.yaml"
    config = OmegaConf.load(file)
    OmegaConf.update(config, key, {"_target_": "os.system", "command": "touch executed"}, merge=False)
    OmegaConf.save(config, file)
    status, message = answer("measuring")
    assert status == 1
    assert f"{key}._target_: expected a network, callback, logger or other component of a run" in message


def test_a_component_whose_package_is_missing_is_not_found(run, answer):
    file = run / ".hydra" / "resolved.yaml"
    file.write_text(file.read_text().replace("latentlab.models.vae.VAE", "my_variants.vae.VAE"))
    status, message = answer("measuring")
    assert status == 1
    assert "model._target_: my_variants.vae.VAE not found (no module my_variants); install its package" in message
    assert "trust" not in message


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

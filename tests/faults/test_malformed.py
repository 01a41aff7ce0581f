"""A thousand malformed overrides and config files: each is a valid config, or one line with the reason."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.called import called

pytestmark = pytest.mark.timeout(3 * settings.default.max_examples)  # no hang

# `make long` takes the profile with a thousand examples
FUZZ = settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KEYS = [
    *("seed", "model", "model.latent_dim", "model/penalty", "net.widths", "trainer", "trainer.max_epochs"),
    *("optimizer.lr", "data.root", "callbacks.samples", "logger", "experiment", "resume", "quiet", "sweep.name"),
    *("run", "suite", "runs", "sweep", "baseline", "output", "paths.output_dir", "hydra.run.dir", "hydra.job.name"),
]
VALUES = [
    *("1", "-1", "1e999", "nan", "null", "true", "???", "vae", "topk", "[1,2]", "{a:1}", "{_target_:os.system}", "a,b"),
    *("range(1,9)", "range(1,1e9)", "interval(0,1)", "choice(a,b)", "glob(*)", "sort(3,1)", "tag(x,1)", "int(x)"),
    *("${seed}", "${nothing}", "${resume}", "${oc.env:HOME}", "${hydra:runtime.cwd}", "${run_name:}", "${", "$", "\\"),
    *("..", "../x", "/", "a/../../b", "~", "%", "''", '"', "9" * 400, "x" * 300, "[" * 20, "{a:" * 20, "${a" * 20),
]
MARKS = [*"=[]{},'\"$()~+@:./\\-#|& \t\n\r*?!<>%^", "\x1b[2J", "\ufeff", "\u2028", "\u202e", "é", "\udcff", "😀"]

text = st.text(max_size=8) | st.sampled_from(MARKS)
# a command line holds no NUL
override = st.one_of(
    st.tuples(st.sampled_from(["", "+", "++", "~"]), st.sampled_from(KEYS), st.just("="), st.sampled_from(VALUES)),
    st.tuples(st.sampled_from(KEYS), text, st.just("="), text, st.sampled_from(VALUES)),
    st.lists(st.sampled_from(KEYS) | st.sampled_from(VALUES) | text, min_size=1, max_size=6),
).map(lambda pieces: "".join(pieces).replace("\0", ""))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to be in, inside another that shows whether anything was written beside it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def refused_or_sound(program, *arguments: str) -> str:
    """The program's message about the arguments; fails for any status but status 0, or 1 with one line."""
    done = called(program, *arguments)
    assert done.returncode in (0, 1), done.stderr
    if done.returncode == 1:
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1
        assert len(done.stderr) < 20_000
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr


@given(st.lists(override.filter(lambda o: not o.startswith("-")), min_size=1, max_size=2))
@FUZZ
@example(["seed=" + "9" * 5000])
@example(["seed=" + "[" * 500])
@example(["seed=" + "${a:" * 500])
@example(["+" + "a." * 3000 + "b=1"])
@example(["net.widths=[" + "1," * 20_000 + "1]"])
@example(["resume=" + "x" * 5000])
def test_of_a_training(folder, overrides):
    refused_or_sound("train", "--cfg", "job", *overrides)
    assert [path.name for path in folder.iterdir()] == ["here"]


@pytest.mark.slow
@given(st.lists(override.filter(lambda o: not o.startswith("-")), min_size=1, max_size=2))
@FUZZ
@example(["seed=range(1,1e9)"])
@example(["seed=range(0,1000000000)"])
@example(["model.latent_dim=glob(*)"])
@example(["model=glob(zz*)"])
@example([f"{key}=range(0,1000)" for key in ("seed", "model.latent_dim", "data.batch_size")])
def test_of_a_sweep_whose_second_job_is_not_sound(folder, overrides):
    message = refused_or_sound("train", "-m", *overrides, "seed=0,x", "data=digits")
    assert message
    assert not list(folder.rglob("*"))[1:]


@given(st.lists(override, min_size=1, max_size=2))
@FUZZ
@example(["run=" + "x" * 1000])
def test_of_an_evaluation(folder, overrides):
    assert refused_or_sound("evaluate", *overrides)
    assert [path.name for path in folder.iterdir()] == ["here"]


@given(st.lists(override, min_size=1, max_size=2))
@FUZZ
@example(["sweep=" + "x" * 1000])
@example(["sweep=\udcff"])
@example(["runs=''"])
def test_of_a_report(folder, overrides):
    assert refused_or_sound("report", *overrides)
    assert [path.name for path in folder.iterdir()] == ["here"]


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(VALUES)
names = st.sampled_from(
    [*("defaults", "model", "net", "trainer", "callbacks", "seed", "hydra", "sweep", "paths", "_target_", "_self_")]
) | st.text(max_size=6)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
HEADERS = ["", "# @package _global_\n", "# @package a.b\n", "# @package [\n", "%YAML 9.9\n---\n", "\ufeff"]
files = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.tuples(st.sampled_from(HEADERS), trees.map(lambda tree: yaml.safe_dump(tree, allow_unicode=True))).map(
        lambda pieces: "".join(pieces).encode("utf-8", "surrogatepass")
    ),
)
LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.slow
@given(files)
@FUZZ
@example(b"a: &a [*a]")
@example(b"# @package _global_\nmodel: &m\n  inner: *m\n")
@example(b"&a {<<: *a}")
@example(b"!!python/object/apply:os.system ['touch executed']")
@example(b"# @package _global_\nseed: !!python/object/apply:os.system ['touch executed']")
@example(b"x: !!python/name:os.system")
@example(b"defaults:\n - broken\n")
@example(b"defaults:\n - /experiment: broken\n")
@example(b"defaults: 3")
@example(b"# @package _global_\nhydra: null")
@example(b"seed: 1\nseed: 2")
@example(b"a: " + b"[" * 2000)
@example(b"a: " + b"{b: " * 500)
@example(LAUGHS.encode())
@example(b"\xff\xfe\x00")
@example(b"x: ${x}\n")
def test_of_config_files(folder, content):
    folder_of_recipes = folder / "here" / "experiment"
    folder_of_recipes.mkdir(exist_ok=True)
    (folder_of_recipes / "broken.yaml").write_bytes(content)
    refused_or_sound("train", "--config-dir", ".", "experiment=broken", "--cfg", "job")
    assert os.listdir(folder) == ["here"]
    assert os.listdir(folder / "here") == ["experiment"]


@pytest.mark.parametrize("kind", ["a folder", "a link to itself", "nothing to read"])
def test_of_a_config_that_is_no_file(folder, kind):
    folder_of_recipes = Path("experiment")
    folder_of_recipes.mkdir()
    file = folder_of_recipes / "broken.yaml"
    match kind:
        case "a folder":
            file.mkdir()
        case "a link to itself":
            file.symlink_to(file.name)
        case _:
            os.mkfifo(file)
    assert refused_or_sound("train", "--config-dir", ".", "experiment=broken", "--cfg", "job")

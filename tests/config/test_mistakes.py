"""What the command line answers to a mistake, a bug and an interruption."""

import errno
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from latentlab.errors import ConfigError
from tests.config.command_line import answer, error_line

SOURCE = str(Path(__file__).parents[2] / "src")

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["model=vea"], "model: no option 'vea'; did you mean vae? (options: ae, cvae"),
        (["model="], "model: no option ''"),
        (["model=null"], "model: no option 'null'"),
        (["model=3"], "model: no option '3'"),
        (["model=[ae,vae]"], "model: expected one option, found a list"),
        (["experiment=nope"], "experiment: no option 'nope'"),
        (["modle=vae"], "modle: unknown; did you mean model?"),
        (["model.latnt_dim=3"], "model.latnt_dim: unknown; did you mean latent_dim? (allowed: beta"),
        (["latent_dim=3"], "latent_dim: unknown; did you mean model.latent_dim?"),
        (["penalty=topk"], "penalty: unknown; did you mean model/penalty?"),
        (["model/penalti=topk"], "model/penalti: no such config group; did you mean model/penalty"),
        (["model/penalty=topk"], "model/penalty: not part of what is chosen; it belongs to model=sparse_ae"),
        (["model.penalty.k=3"], "model.penalty: not part of what is chosen; it belongs to model=sparse_ae"),
        (
            ["model=sparse_ae", "model.penalty=topk"],
            "model.penalty: a config group; choose it as model/penalty=topk",
        ),
        (["seed.x=3"], "seed.x: unknown; seed takes no keys"),
        (["model.latent_dim=abc"], "model.latent_dim: expected int, found 'abc' (str)"),
        (["seed=abc"], "seed: expected int, found 'abc' (str)"),
        (["net.widths=abc"], "net.widths: expected a list of int, found 'abc' (str)"),
        (["optimizer.lr=fast"], "optimizer.lr: expected float, found 'fast' (str)"),
        (
            ["data.binarize=dynamc"],
            "data.binarize: expected dynamic or threshold or None, found 'dynamc' (str)",
        ),
        (["net.encoder=3"], "net.encoder: expected a node with _target_, found 3 (int)"),
        (["seed=???"], "seed: missing; give it as seed=VALUE"),
        (["model=???"], "model: missing; choose an option"),
        (["seed=${foo}"], "seed: Interpolation key 'foo' not found"),
        (["seed=${seed}"], "seed: Recursive interpolation detected"),
        (["hydra.verbose=3"], "hydra.verbose: expected a bool or names of loggers, found 3"),
        (["-m", "hydra.verbose=3", "seed=0,1"], "hydra.verbose: expected a bool or names of loggers, found 3"),
        (["~model.beta=7", "model=vae"], "~model.beta: it is 1.0; take it out as ~model.beta"),
        (["paths=3"], "paths: expected further keys, found a single value"),
        (["model"], "model: expected KEY=VALUE"),
        (["=3"], "expected KEY=VALUE"),
        (["net.widths=[1,"], "net.widths=[1,: cannot be read as KEY=VALUE"),
        (["net.widths[0]=4"], "net.widths[0]: one item of a list cannot be set"),
        (["data.root='"], "data.root=': cannot be read as KEY=VALUE"),
        (["seed=1,2"], "seed: several values are a sweep, which needs -m"),
        (["+foo=1"], "foo: unknown"),
        (["+paths.foo=1"], "paths.foo: unknown (allowed: output_dir, run_dir)"),
        (["+model.foo=1"], "model.foo: unknown (allowed: beta"),
        (["+a/b=c"], "a/b: no such config group"),
        (["+seed=3"], "seed: already there; write seed=VALUE"),
        (["~model"], "~model: a run needs it"),
        (["~logger"], "~logger: a run needs it"),
        (["callbacks=[]"], "callbacks: expected an option, found none; the least is callbacks=no_pictures"),
        (["logger=[]"], "logger: expected an option, found none; the least is logger=none"),
        (["~callbacks.checkpoint"], "~callbacks.checkpoint: a run needs it"),
        (["callbacks.checkpoint=null"], "callbacks.checkpoint: expected a node with _target_, found null"),
        (["~model.beta"], "model.beta: missing; give it as model.beta=VALUE"),
        (["~foo"], "~foo: nothing of that name to take out"),
        (["model._target_=foo.Bar"], "model._target_: foo.Bar not found"),
        (["trainer.logger=false"], "trainer.logger: unknown"),
        (["hydra.job.num=abc"], "hydra.job.num: Value 'abc'"),
        (["--seed=3"], "unrecognized arguments: --seed=3; keys are written without dashes: seed=3"),
        (
            ["net.activation=tahn"],
            "net.activation: expected one of elu, gelu, leaky_relu, relu, sigmoid, silu, softplus",
        ),
        (["--model", "vae"], "unrecognized arguments: --model; keys are written without dashes: model=VALUE"),
        (["-h=model"], "flags such as -h and -m take no value; the options of a group are shown by --help GROUP"),
        (["seed=1", "--seed", "2"], "unrecognized arguments: --seed 2; keys are written without dashes: seed=VALUE"),
        (["-x"], "unrecognized arguments: -x; see --help"),
        (["--resolve"], "--resolve: goes with --cfg or --help"),
        (["--config-name", "foo"], "--config-name: no config 'foo'"),
        (["-m", "model=vae,vea"], "model: no option 'vea'; did you mean vae?"),
        (["-m", "sweep.name=[a]"], "sweep.name: expected up to 100 letters, digits and . _ + = -, found '[a]'"),
        (["-m", "sweep.name=a,b"], "sweep.name: expected up to 100 letters, digits and . _ + = -, found 'a,b'"),
        (["-m", "sweep.name="], "sweep.name: expected up to 100 letters"),
        (["-m", "seed=1,x"], "seed: expected int, found 'x' (str)"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(argv: list[str], expected: str, folder: Path):
    line = error_line(*argv)
    assert line.startswith(expected)
    assert not re.search(r"(^|\s)\+\w", line.removeprefix(argv[0])), "advises +key"
    assert not list(folder.rglob("*.*"))


@pytest.mark.parametrize("name", ["3", "2026", "1e3", "true", "'3'", "${seed}", "x=1"])
def test_the_name_of_a_sweep_is_taken_as_text(name: str, folder: Path):
    status, _, err = answer("-m", f"sweep.name={name}", "seed=0,1")
    assert (status, err) == (0, "")
    expected = {"'3'": "3", "${seed}": "0"}.get(name, name)
    assert [path.name for path in (folder / "outputs" / "sweeps").iterdir()] == [expected]


def test_a_sweep_whose_name_is_null_is_named_by_its_time(folder: Path):
    assert answer("-m", "sweep.name=null", "seed=0,1")[0] == 0
    assert re.match(r"\d{4}-", next((folder / "outputs" / "sweeps").iterdir()).name)


def test_a_users_mistake_inside_the_job_is_one_line_and_in_the_log(folder: Path):
    def job(config: DictConfig) -> float:
        raise ConfigError("model.penalty.k: 30 units of 20")

    assert error_line(job=job) == "model.penalty.k: 30 units of 20"
    assert "model.penalty.k: 30 units of 20" in next(folder.glob("outputs/runs/*/train.log")).read_text()


class Picky:
    def __init__(self, size: int) -> None:
        if size > 3:
            raise ConfigError("picky.size: expected at most 3, found 4")
        if size < 0:
            raise ValueError("too small")
        raise KeyError(size)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"size": 4}, "picky.size: expected at most 3, found 4"),
        ({"size": -1}, "picky: too small"),
        ({}, "picky: missing 'size'"),
    ],
)
def test_what_a_constructor_refuses_is_a_users_mistake(arguments: dict[str, int], expected: str):
    def job(config: DictConfig) -> float:
        node = OmegaConf.create({"picky": {"_target_": f"{__name__}.Picky", **arguments}})
        return instantiate(node.picky)

    assert error_line(job=job) == expected


def test_no_memory_is_a_line_also_where_python_finds_it():
    def job(config: DictConfig) -> float:
        raise MemoryError

    assert error_line(job=job).startswith("out of memory; lower data.batch_size")


def test_a_log_that_cannot_be_written_is_one_line(folder: Path):
    assert error_line("hydra.job.name=no/such").endswith("no/such.log: No such file or directory; see paths.output_dir")
    assert error_line("hydra.run.dir=full", job=_fill_the_log) == "full: No space left on device; see paths.output_dir"


def _fill_the_log(config: DictConfig) -> float:
    (log,) = (handler for handler in logging.root.handlers if isinstance(handler, logging.FileHandler))
    log.setStream(open("/dev/full", "w"))  # noqa: SIM115
    logging.getLogger("a.job").warning("lost")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "full")


def test_a_bug_keeps_its_traceback(folder: Path):
    def job(config: DictConfig) -> float:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        answer(job=job)
    assert "Traceback" in next(folder.glob("outputs/runs/*/train.log")).read_text()


def test_a_bug_in_a_constructor_keeps_its_traceback():
    def job(config: DictConfig) -> float:
        return instantiate({"_target_": f"{__name__}.Picky", "size": 0})

    with pytest.raises(InstantiationException):
        answer(job=job)


@pytest.mark.parametrize(("stop", "status"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143), (SystemExit(), 0)])
def test_interruptions_have_their_own_status(stop: BaseException, status: int):
    def job(config: DictConfig) -> float:
        raise stop

    assert answer(job=job)[0] == status


def test_a_failed_job_of_a_sweep_is_reported_where_it_happens_and_the_others_run():
    def job(config: DictConfig) -> float:
        ran.append(config.seed)
        if config.seed == 1:
            raise ConfigError("data: gone")
        return 0.0

    ran: list[int] = []
    status, out, err = answer("-m", "seed=1,2", job=job)
    assert (status, ran) == (1, [1, 2])
    assert "failed: data: gone" in out
    assert err.splitlines()[-1].startswith("error: 1 of 2 jobs failed: seed=1")
    assert "Traceback" not in err


def test_a_mistake_is_answered_before_anything_slow_is_imported():
    code = (
        "import sys; from latentlab.config import run_hydra;"
        "status = run_hydra(lambda config: 0.0, 'train', ['model.latent_dim=abc']);"
        "print(status, sorted({'torch', 'lightning', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "1 []", done.stderr


KEYS = [
    "seed",
    "model",
    "model.latent_dim",
    "model/penalty",
    "net.widths",
    "trainer",
    "optimizer.lr",
    "hydra.run.dir",
]
pieces = st.sampled_from(
    [*KEYS, "=", "[", "]", "{", "}", ",", "'", '"', "${", "$", "(", ")", "~", "+", "@", ":", ".", "/"]
)
malformed = st.lists(pieces | st.text(max_size=3), min_size=1, max_size=6).map("".join)


@given(malformed.filter(lambda text: not text.startswith("-") and "\x00" not in text))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_override_is_understood_or_answered_in_one_line(override: str):
    status, _, err = answer(override, "--cfg", "job")
    if status == 0:
        assert err == ""
    else:
        assert status == 1
        assert err.startswith("error: ")
        assert len(err.splitlines()) == 1

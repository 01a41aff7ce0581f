"""The command line: what it takes, and what it answers to a mistake."""

import contextlib
import errno
import io
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

from latentlab.cli import config_dir, run_hydra
from latentlab.errors import ConfigError

SOURCE = str(Path(__file__).parents[2] / "src")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    handlers, level = logging.root.handlers[:], logging.root.level
    yield tmp_path
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def answer(*argv: str, job=lambda config: 0.0) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run_hydra(job, "train", list(argv))
    return status, out.getvalue(), err.getvalue()


def error_line(*argv: str, job=lambda config: 0.0) -> str:
    status, _, err = answer(*argv, job=job)
    assert status == 1
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err.removeprefix("error: ").rstrip("\n")


def seen(*argv: str) -> list[DictConfig]:
    configs: list[DictConfig] = []
    status, _, err = answer(*argv, job=configs.append)
    assert (status, err) == (0, "")
    return configs


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
        (["~callbacks.checkpoint"], "~callbacks.checkpoint: a run needs it"),
        (["callbacks.checkpoint=null"], "callbacks.checkpoint: expected a node with _target_, found null"),
        (["~model.beta"], "model.beta: missing; give it as model.beta=VALUE"),
        (["~foo"], "~foo: nothing of that name to take out"),
        (["model._target_=foo.Bar"], "model._target_: foo.Bar not found"),
        (["trainer.logger=false"], "trainer.logger: unknown"),
        (["hydra.job.num=abc"], "hydra.job.num: Value 'abc'"),
        (["--seed=3"], "unrecognized arguments: --seed=3; keys are written without dashes: seed=3"),
        (["--resolve"], "--resolve: goes with --cfg or --help"),
        (["--config-name", "foo"], "--config-name: no config 'foo'"),
        (["-m", "model=vae,vea"], "model: no option 'vea'; did you mean vae?"),
        (["-m", "seed=1,x"], "seed: expected int, found 'x' (str)"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(argv: list[str], expected: str, folder: Path):
    line = error_line(*argv)
    assert line.startswith(expected)
    assert not re.search(r"(^|\s)\+\w", line.removeprefix(argv[0])), "advises +key"
    assert not list(folder.rglob("*.*"))


def test_a_new_argument_of_a_constructor_is_a_key_like_any_other():
    (config,) = seen("optimizer.weight_decay=0.1", "+trainer.limit_train_batches=2")
    assert config.optimizer.weight_decay == 0.1
    assert config.trainer.limit_train_batches == 2


def test_overrides_are_recorded_as_they_were_given(folder: Path):
    seen("optimizer.weight_decay=0.1", "seed=2")
    (file,) = folder.glob("outputs/runs/*/.hydra/overrides.yaml")
    assert OmegaConf.load(file) == ["optimizer.weight_decay=0.1", "seed=2"]


@pytest.mark.parametrize("model", ["ae", "sparse_ae", "denoising_ae", "vae", "cvae"])
def test_every_variant_passes_with_every_network(model: str):
    for net in ("linear", "mlp", "cnn", "rnn"):
        (config,) = seen(f"model={model}", f"net={net}")
        assert "hydra" not in config


def test_a_sweep_runs_every_combination(folder: Path):
    configs = seen("-m", "model=ae,vae", "seed=0,1")
    assert [(c.model._target_.rpartition(".")[2], c.seed) for c in configs] == [
        ("AE", 0),
        ("AE", 1),
        ("VAE", 0),
        ("VAE", 1),
    ]
    assert len(list(folder.glob("outputs/sweeps/*/model=*,seed=*/train.log"))) == 4


def test_a_key_may_fit_only_the_swept_options():
    configs = seen("-m", "likelihood=gaussian,laplace", "likelihood.learned=true")
    assert [c.likelihood.learned for c in configs] == [True, True]


def test_two_runs_started_in_the_same_second_have_folders_of_their_own(folder: Path):
    seen("seed=1")
    seen("seed=2")
    assert len(list(folder.glob("outputs/runs/*/.hydra"))) == 2


def test_the_folder_of_a_run_is_the_same_whenever_it_is_asked_for(folder: Path):
    (config,) = seen("paths.output_dir=elsewhere")
    (run,) = folder.glob("elsewhere/runs/*")
    assert (run / "train.log").is_file()
    assert OmegaConf.to_container(config)["paths"]["run_dir"] == "${hydra:runtime.output_dir}"


def test_help_lists_groups_and_ten_commands():
    status, out, err = answer("--help")
    commands = [line for line in out.splitlines() if line.startswith("latentlab-train ")]
    assert (status, err, len(commands)) == (0, "", 10)
    groups = "model net likelihood data optimizer scheduler trainer callbacks logger experiment hydra"
    assert all(re.search(f"^{group}: ", out, re.MULTILINE) for group in groups.split())


def test_the_commands_in_the_help_are_sound():
    _, out, _ = answer("--help")
    for line in out.splitlines():
        if line.startswith("latentlab-train ") and "resume=" not in line:
            shown = [] if " -m " in line else ["--cfg", "job"]
            assert answer(*line.split()[1:], *shown)[::2] == (0, ""), line


@pytest.mark.parametrize("flags", [["--cfg", "job"], ["--cfg", "job", "--resolve", "-p", "model"], ["--info"]])
def test_hydras_own_flags_work(flags: list[str]):
    status, out, err = answer("model=cvae", *flags)
    assert (status, err) == (0, "")
    assert "latentlab.models.cvae.CVAE" in out


def test_hydra_help_works():
    assert "hydra" in answer("--hydra-help")[1].lower()


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


def test_a_failed_job_of_a_sweep_is_told_where_it_happens_and_the_others_run():
    def job(config: DictConfig) -> float:
        ran.append(config.seed)
        if config.seed == 1:
            raise ConfigError("data: gone")
        return 0.0

    ran: list[int] = []
    status, out, err = answer("-m", "seed=1,2", job=job)
    assert (status, ran) == (1, [1, 2])
    assert "failed: data: gone" in out
    assert err.splitlines()[-1] == "error: data: gone"
    assert "Traceback" not in err


def test_configs_lie_beside_the_package_or_at_the_checkouts_root(tmp_path: Path):
    package = tmp_path / "src" / "latentlab"
    package.mkdir(parents=True)
    with pytest.raises(ConfigError, match="no shipped configs"):
        config_dir(package)
    for place in (tmp_path / "conf", package / "conf"):  # a wheel's own come first
        place.mkdir()
        (place / "train.yaml").touch()
        assert config_dir(package) == place
    assert (config_dir() / "model" / "vae.yaml").is_file()


def test_a_mistake_is_answered_before_anything_slow_is_imported():
    code = (
        "import sys; from latentlab.cli import run_hydra;"
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
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_override_is_understood_or_answered_in_one_line(override: str):
    status, _, err = answer(override, "--cfg", "job")
    if status == 0:
        assert err == ""
    else:
        assert status == 1
        assert err.startswith("error: ")
        assert len(err.splitlines()) == 1

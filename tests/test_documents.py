"""README and the documents: links resolve, commands are valid in bash and zsh and compose, examples run."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override

from latentlab.config.sources import find
from tests.config.command_line import answer

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(file.relative_to(ROOT)) for file in DOCUMENTS]
RECIPES = sorted((ROOT / "conf").glob("experiment/*.yaml")) + sorted((ROOT / "conf").glob("sweep/*.yaml"))
TARGETS = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
SUBCOMMANDS = {"train", "evaluate", "export", "explore", "report", "demo", "check", "reproduce"}
FOREIGN = re.compile(r"^(model|net|data|callbacks)=(short_codes|shallow|stripes|weight_norm)$")  # of docs/extending.md


class Command(NamedTuple):
    """A command line that a document shows, and where."""

    place: str
    text: str


def prose(text: str) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def shell_lines(block: str) -> list[str]:
    """The commands of a block, with continued lines joined."""
    return [" ".join(line.split()) for line in block.replace("\\\n", " ").splitlines()]


def commands() -> list[Command]:
    """Those of the shell blocks, those inline, and those in the headers of recipes."""
    found = []
    for file, name in zip(DOCUMENTS, NAMES, strict=True):
        text = file.read_text()
        found += [Command(name, line) for block in blocks(text, "bash") for line in shell_lines(block)]
        inline = re.findall(r"`([^`\n]+)`", prose(text))
        found += [Command(name, code) for code in inline if re.match(r"(latentlab|make) [a-z]+", code)]
    for file in RECIPES:
        header = [line.removeprefix("# ") for line in file.read_text().splitlines() if line.startswith("# latentlab ")]
        found += [Command(file.name, re.split(r"   +", line)[0].rstrip()) for line in header]
    shown = {command.text: command for command in found if "..." not in command.text and "|" not in command.text}
    return list(shown.values())


COMMANDS = commands()
EVERY_COMMAND = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.place}: {command.text}")


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(file: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", prose(file.read_text()), re.MULTILINE)}


def unquoted(text: str) -> str:
    """What a shell sees outside of quotes."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", text)


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_resolves_to_a_file_and_an_anchor(name):
    file = ROOT / name
    links = re.findall(r"\]\(([^)]+)\)", prose(file.read_text()))
    for link in links:
        if re.match(r"[a-z]+://", link):
            continue
        path, _, anchor = link.partition("#")
        target = file if not path else file.parent / path
        assert target.exists(), link
        assert target.resolve().is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_document_of_docs_is_linked_in_readme():
    linked = set(re.findall(r"\]\((docs/\w+\.md)\)", (ROOT / "README.md").read_text()))
    assert linked == {f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md")}


def test_the_documents_show_commands_of_every_subcommand():
    shown = {command.text.split()[1] for command in COMMANDS if command.text.startswith("latentlab ")}
    assert {"train", "evaluate", "report"} <= shown <= SUBCOMMANDS
    assert len(COMMANDS) > 60


@EVERY_COMMAND
def test_a_command_means_the_same_in_bash_and_zsh(command):
    assert not re.search(r"[\[\]*?()]", unquoted(command.text)), "a bracket, parenthesis or glob without quotes"
    assert "#" not in unquoted(command.text), "no comment for an interactive zsh, which passes it on as arguments"
    assert shlex.split(command.text)
    for shell in ("bash", "zsh"):
        if shutil.which(shell):
            subprocess.run([shell, "-n", "-c", command.text], check=True, timeout=20)


@EVERY_COMMAND
def test_every_make_target_exists(command):
    named = re.findall(r"\bmake ((?:[a-z]+ ?)+)", command.text)
    assert {target for text in named for target in text.split()} <= set(TARGETS)


def test_every_make_target_of_the_prose_exists():
    text = "".join(file.read_text() for file in DOCUMENTS)
    assert set(re.findall(r"`(?:[A-Z_]+=\S+ )?make ([a-z]+)", text)) <= set(TARGETS)


def single_runs(arguments: list[str]) -> list[list[str]]:
    """Of a sweep's arguments those of two of its jobs, with the first and with the last of all values."""
    overrides = OverridesParser.create().parse_overrides([argument for argument in arguments if argument != "-m"])
    return [[single_value(override, last) for override in overrides] for last in (False, True)]


def single_value(override: Override, last: bool) -> str:
    if not override.is_sweep_override():
        return override.input_line
    value = override.value()
    if isinstance(value, IntervalSweep):
        return f"{override.get_key_element()}={value.end if last else value.start}"
    values = list(override.sweep_string_iterator())
    return f"{override.get_key_element()}={values[-1 if last else 0]}"


def train_arguments(text: str) -> list[str] | None:
    """The arguments of `latentlab train` in a command; None in any other."""
    words = shlex.split(text)
    for start in range(len(words) - 1):
        if words[start : start + 2] == ["latentlab", "train"]:
            return [word for word in words[start + 2 :] if not word.startswith("resume=")]
    if words[:1] == ["make"] and words[1] in ("train", "sweep"):
        given = next((word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=")), "")
        return [*(["-m"] if words[1] == "sweep" else []), *shlex.split(given)]
    return None


def composes_here(command: Command) -> bool:
    """Not that of a recipe alone, which tests/test_configs.py runs."""
    arguments = train_arguments(command.text)
    if arguments is None or re.search("experiment=NAME|--help", command.text):
        return False
    alone = [argument for argument in arguments if not re.match(r"-m$|(experiment|sweep|evaluate)=", argument)]
    return bool(alone) and not any(map(FOREIGN.match, arguments))


@pytest.mark.parametrize("command", filter(composes_here, COMMANDS), ids=lambda c: f"{c.place}: {c.text}")
def test_every_training_command_composes(command, folder):
    arguments = train_arguments(command.text)
    for single in single_runs(arguments) if "-m" in arguments else [arguments]:
        for what in ("job", "hydra") if any("hydra" in word for word in single) else ("job",):
            status, _, err = answer(*single, "--cfg", what)
            assert (status, err) == (0, "")


@pytest.mark.parametrize("command", [c for c in COMMANDS if re.match(r"latentlab (evaluate|report) ", c.text)])
def test_the_keys_of_evaluate_and_report_exist(command):
    _, program, *words = shlex.split(command.text)
    given = [word for word in words if not word.startswith("--")]
    if program == "evaluate" and given and "=" not in given[0]:  # the folder alone
        given[0] = f"run={given[0]}"
    keys = [word.partition("=")[0] for word in given]
    config = yaml.safe_load((ROOT / "conf" / f"{program}.yaml").read_text())
    assert set(keys) <= config.keys()


@pytest.mark.parametrize("name", NAMES)
def test_python_blocks_compile_and_import_what_exists(name):
    for block in blocks((ROOT / name).read_text(), "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("latentlab"):
                assert all(find(f"{node.module}.{alias.name}") for alias in node.names)


def test_the_workflow_calls_make_ci_and_nothing_else():
    (job,) = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make ci PYTHON=python${{ matrix.python }}"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]


def test_the_version_is_the_same_in_every_document():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    newest = re.search(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert project["version"] == citation["version"] == newest
    assert project["license"] == citation["license"] == "MIT"


def saved_examples(folder: Path) -> None:
    """The blocks of docs/extending.md, each under the name in its first line."""
    text = (ROOT / "docs" / "extending.md").read_text()
    for block in [*blocks(text, "python"), *blocks(text, "yaml")]:
        if name := re.match(r"# (\S+\.(?:py|yaml))\n", block):
            file = folder / name[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block)


def python(folder: Path, *arguments: str) -> str:
    path = os.pathsep.join([str(folder), str(ROOT / "src")])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("name", "run"), [("README.md", "in_python"), ("docs/python.md", "first_cvae")])
def test_the_python_of_a_document_runs_from_top_to_bottom(tmp_path, outputs, name, run):
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "reference_classifiers").symlink_to(outputs / "reference_classifiers")
    (outputs / "reference_classifiers").mkdir(parents=True, exist_ok=True)
    shown = "\n".join(blocks((ROOT / name).read_text(), "python"))
    shown = shown.replace('"data=digits"', '"data=digits", "data.image_size=8"')  # whose classifier the tests share
    python(tmp_path, "-c", shown)
    assert (tmp_path / "outputs" / "runs" / run / "metrics.json").is_file()


@pytest.mark.slow
def test_the_examples_of_extending_train_together_and_are_measured(tmp_path):
    saved_examples(tmp_path)
    (line,) = [c.text for c in COMMANDS if c.place == "docs/extending.md" and "short_codes" in c.text]
    arguments = line.partition("latentlab ")[2].split()
    quick = ["trainer=smoke", "data.labels=false"]  # without labels no reference classifier is trained
    python(tmp_path, "-m", "latentlab", *arguments, *quick, "hydra.run.dir=outputs/runs/FOLDER")
    metrics = json.loads((tmp_path / "outputs/runs/FOLDER/metrics.json").read_text())["metrics"]
    assert {"test/length", "test/mse", "test/bce"} <= metrics.keys()
    assert "train/weight_norm" in (tmp_path / "outputs/runs/FOLDER/history.jsonl").read_text()
    (line,) = [c.text for c in COMMANDS if c.place == "docs/extending.md" and "measurements=code" in c.text]
    python(tmp_path, "-m", "latentlab", *line.partition("latentlab ")[2].split())
    assert json.loads((tmp_path / "outputs/runs/FOLDER/metrics.json").read_text())["metrics"]["test/code_length"] > 0


def test_the_results_in_the_readme_are_those_of_the_results_page():
    readme, page = ((ROOT / name).read_text() for name in ("README.md", "docs/results.md"))
    rows = re.findall(r"^\| \[\w+\]\(docs/results\.md#\w+\).*\|$", readme, re.MULTILINE)
    assert len(rows) == 6
    assert [row for row in rows if row.replace("docs/results.md#", "#") not in page.splitlines()] == []

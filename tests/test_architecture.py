"""The walls of the house: who may import whom, and how large a room may grow."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "latentlab"
FILES = {".".join(f.relative_to(SOURCE).with_suffix("").parts): f for f in sorted(SOURCE.rglob("*.py"))}

# files of pure functions, from the ground up: each may import those before it
FUNCTIONAL = [
    "errors",
    "randomness",
    "batch",
    "distributed",
    "schedules",
    "precision",
    "distributions",
    "losses",
    "penalties",
    "corruption",
]
ENTRY_POINTS = {"train", "evaluate", "demo", "report", "check"}
# besides the entry points: what composes a config, checks it, or reads it back
KNOWS_HYDRA = ENTRY_POINTS | {"job", "build", "runs", "cli", "own_process", "sweeps"}

READ_BY_A_COMPARISON = {"documents", "files", "identity", "hyperparameters", "lock", "errors", "cli.nearest"}


def imports(name: str) -> set[str]:
    """Modules that a file imports, also inside functions; those of latentlab without the package's name."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module}
    return {module.removeprefix("latentlab.") for module in found}


def own(name: str) -> set[str]:
    return {module for module in imports(name) if module in FILES}


def below(folder: str) -> list[str]:
    return [name for name in FILES if name.startswith(f"{folder}.") and not name.endswith("__init__")]


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_functional_files_import_torch_and_each_other_downwards(name):
    foreign = {m.split(".")[0] for m in imports(name) if m not in FILES}
    assert own(name) <= set(FUNCTIONAL[: FUNCTIONAL.index(name)])
    assert foreign.isdisjoint({"lightning", "hydra", "omegaconf", "torchvision", "wandb", "matplotlib"})


@pytest.mark.parametrize("name", below("nets"))
def test_nets_know_only_torch_and_each_other(name):
    assert all(m.startswith("nets.") or m in {"errors", "precision"} for m in own(name))


@pytest.mark.parametrize("name", below("models"))
def test_models_know_nets_and_functional_files(name):
    shared = {"models.base", "models.descent", "models.parts", "models.priors", "models.running_means"}
    assert all(m.startswith("nets.") or m in shared or m in FUNCTIONAL for m in own(name))


@pytest.mark.parametrize("name", below("data"))
def test_data_knows_only_the_functional_files(name):
    assert all(m.startswith("data.") or m in FUNCTIONAL for m in own(name))


@pytest.mark.parametrize("name", below("callbacks"))
def test_callbacks_never_know_a_concrete_variant(name):
    allowed = {"tracking", "processes", "signals", "models.base", "data.base", "runs", "files", *FUNCTIONAL}
    allowed |= {"sweeps.study"}  # by whose storage a trial is stopped early
    assert all(m.startswith(("figures", "metrics.", "callbacks.")) or m in allowed for m in own(name))


@pytest.mark.parametrize("name", [*below("metrics"), "judge"])
def test_measurements_know_models_judge_and_each_other(name):
    allowed = {"judge", "models.base", "data.images", "data.loader", *FUNCTIONAL}
    assert all(m.startswith("metrics.") or m in allowed for m in own(name))


@pytest.mark.parametrize("name", below("figures"))
def test_figures_know_only_each_other(name):
    assert all(m.startswith("figures") for m in own(name))


@pytest.mark.parametrize("name", below("evaluation"))
def test_an_evaluation_never_knows_a_concrete_variant(name):
    allowed = {"figures", "files", "judge", "models.base", "runs", "tracking", *FUNCTIONAL}
    assert all(m.startswith(("evaluation.", "figures.", "metrics.", "data.")) or m in allowed for m in own(name))


@pytest.mark.parametrize("name", below("comparison"))
def test_a_comparison_reads_run_folders_and_never_torch(name):
    foreign = {module.split(".")[0] for module in imports(name) if module not in FILES}
    assert all(m.startswith("comparison.") or m in READ_BY_A_COMPARISON for m in own(name))
    assert foreign.isdisjoint({"torch", "lightning", "omegaconf", "numpy", "matplotlib", "pickle"})


@pytest.mark.parametrize("name", FILES)
def test_only_entry_points_and_composition_know_hydra(name):
    if name.split(".")[0] not in KNOWS_HYDRA:
        assert not any(module.split(".")[0] == "hydra" for module in imports(name))


@pytest.mark.parametrize("name", FILES)
def test_nothing_imports_an_entry_point(name):
    assert own(name).isdisjoint(ENTRY_POINTS)


@pytest.mark.parametrize("name", FILES)
def test_a_file_holds_one_idea_in_about_250_lines(name):
    assert len(FILES[name].read_text().splitlines()) <= 280


@pytest.mark.parametrize("name", FILES)
def test_there_is_no_grab_bag(name):
    assert FILES[name].stem not in {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def test_no_variant_subclasses_another():
    variants = [name for name in below("models") if name.split(".")[1] in {p.stem for p in _variant_files()}]
    assert len(variants) >= 5
    for name in variants:
        for node in ast.walk(ast.parse(FILES[name].read_text())):
            if isinstance(node, ast.ClassDef):
                assert [base.id for base in node.bases if isinstance(base, ast.Name)] == ["Autoencoder"]
                assert any(isinstance(d, ast.Name) and d.id == "final" for d in node.decorator_list)


def _variant_files() -> list[Path]:
    shared = {"__init__", "base", "descent", "parts", "priors", "running_means"}
    return [file for file in (SOURCE / "models").glob("*.py") if file.stem not in shared]

"""The rooms of the package: which room may import which, who knows Hydra and torch, and how large a file may grow."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "latentlab"
TOP_LEVEL_FILES = {"__init__.py", "__main__.py", "errors.py", "py.typed"}

# room -> rooms that it may import; with a room comes everything that this one may import itself
MAY_IMPORT = {
    "functional": (),
    "runs": (),
    "processes": (),
    "figures": (),
    "models": ("functional",),
    "data": ("functional",),
    "config": ("runs", "processes"),
    "report": ("runs",),
    "training": ("models", "data", "config", "figures", "runs", "processes"),
    "sweeps": ("report", "config", "runs", "processes"),
    "evaluation": ("training",),
    "explore": ("evaluation", "report"),
    "commands": ("explore", "sweeps"),
}
FLOORS = 8  # errors below the rooms, `__main__` above them
KNOWS_HYDRA = {"config", "sweeps", "commands"}
LINES = 260

FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(file.relative_to(PACKAGE)) for file in FILES]
IN_ROOMS = [name for name in NAMES if "/" in name]


def room_of(name: str) -> str:
    return name.split("/")[0].removesuffix(".py")


def modules_of(node: ast.AST, package: str) -> list[str]:
    """The full names of the modules, or of the names in a package's face, that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*parents, *([node.module] if node.module else [])])
        return [f"{base}.{alias.name}" for alias in node.names]
    return []


def imports(name: str) -> set[str]:
    """What a file imports, also inside functions, as dotted names."""
    package = ".".join(["latentlab", *Path(name).parts[:-1]])
    tree = ast.parse((PACKAGE / name).read_text())
    return {module for node in ast.walk(tree) for module in modules_of(node, package)}


def rooms_imported(name: str) -> set[str]:
    found = {module.split(".")[1] for module in imports(name) if module.startswith("latentlab.")}
    return (found & MAY_IMPORT.keys()) - {room_of(name)}


def allowed(room: str) -> set[str]:
    below = set(MAY_IMPORT[room])
    return below.union(*(allowed(inner) for inner in below))


def floor(room: str) -> int:
    return 1 + max((floor(inner) for inner in MAY_IMPORT[room]), default=0)


def test_the_package_is_thirteen_rooms_and_four_files():
    entries = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries == TOP_LEVEL_FILES | MAY_IMPORT.keys()
    assert len(MAY_IMPORT) == 13


def test_there_are_eight_floors_and_no_circle():
    # `floor` would not end on a circle
    assert 2 + max(map(floor, MAY_IMPORT)) == FLOORS


def test_there_is_no_circle_among_files():
    module_of = {".".join(["latentlab", *Path(name).with_suffix("").parts]): name for name in IN_ROOMS}
    # "a.b.c" is the module a.b where c is a name in it
    of = {name: {module_of.get(m) or module_of.get(m.rpartition(".")[0]) for m in imports(name)} for name in IN_ROOMS}
    assert sum(map(len, of.values())) > len(of)
    TopologicalSorter({name: files - {None} for name, files in of.items()}).prepare()  # raises CycleError


@pytest.mark.parametrize("name", IN_ROOMS)
def test_a_file_imports_only_rooms_below_its_own(name):
    assert rooms_imported(name) <= allowed(room_of(name))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_every_permission_is_used(room):
    used = set().union(*(rooms_imported(name) for name in IN_ROOMS if room_of(name) == room))
    assert set(MAY_IMPORT[room]) <= used


def test_errors_import_nothing_of_the_package():
    assert not any(module.startswith("latentlab") for module in imports("errors.py"))


@pytest.mark.parametrize("name", IN_ROOMS)
def test_nothing_imports_a_command_but_the_command_line(name):
    if room_of(name) != "commands":
        assert "commands" not in rooms_imported(name)


@pytest.mark.parametrize("name", NAMES)
def test_only_configs_sweeps_and_commands_know_hydra(name):
    if room_of(name) not in KNOWS_HYDRA:
        assert not any(module.split(".")[0] == "hydra" for module in imports(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_holds_one_idea_in_about_250_lines(name):
    assert len((PACKAGE / name).read_text().splitlines()) <= LINES


@pytest.mark.parametrize("name", NAMES)
def test_there_is_no_grab_bag(name):
    assert Path(name).stem not in {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def test_no_variant_subclasses_another():
    shared = {"__init__", "base", "batches", "bounds", "codes", "codec", "optimization", "parts", "priors"}
    shared |= {"flow_prior", "running_means"}
    variants = [file for file in (PACKAGE / "models").glob("*.py") if file.stem not in shared]
    assert len(variants) >= 5
    for file in variants:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                assert [base.id for base in node.bases if isinstance(base, ast.Name)] == ["Autoencoder"]
                assert any(isinstance(d, ast.Name) and d.id == "final" for d in node.decorator_list)


def called(node: ast.expr) -> str:
    """The last name of a base or decorator."""
    match node:
        case ast.Subscript(value=inner) | ast.Call(func=inner):
            return called(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def test_a_class_is_final_or_made_to_be_derived_from():
    trees = [ast.parse((PACKAGE / name).read_text()) for name in NAMES]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {called(base) for node in classes for base in node.bases} | {"RandomSource"}  # derived from by tests/gpu
    for node in classes:
        marks = {called(mark) for mark in node.decorator_list} | {called(base) for base in node.bases}
        assert marks & {"final", "ABC", "Protocol"} or node.name in bases, node.name


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after `code`."""
    command = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("package", ["latentlab.report.write", "latentlab.runs"])
def test_reading_run_folders_loads_neither_torch_nor_hydra(package):
    assert loaded_by(f"import {package}").isdisjoint({"torch", "lightning", "hydra", "numpy", "matplotlib"})


QUICK = [
    *(["--help"], ["train", "--help"], ["train", "--help", "model=vae", "trainer=gpu", "optimizer=adam"]),
    *(["train", "modell=vae"], ["report", "--help"]),
]


@pytest.mark.parametrize("arguments", QUICK)
def test_help_and_a_mistyped_key_load_no_torch(arguments):
    call = f"sys.argv[1:] = {arguments!r}\nfrom latentlab.__main__ import main\ntry: main()\nexcept SystemExit: pass"
    assert loaded_by(call).isdisjoint({"torch", "lightning", "numpy", "matplotlib"})

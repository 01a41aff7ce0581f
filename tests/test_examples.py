"""The example notebooks: each script runs from top to bottom, and its notebook is the same with outputs."""

import re
from pathlib import Path

import jupytext
import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(FOLDER.glob("0*.py"))
OWN_IMAGES = "06_your_own_images"
EVERY_EXAMPLE = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
SWEEPS = ("02_five_variants", "05_a_regular_latent_space")  # several trainings each
LARGEST = 300 * 1024  # bytes of a notebook
OF_A_MACHINE = re.compile(r"/(tmp|home|root|work|Users|opt|usr|var)/")


def quick(script: Path) -> str:
    """The script's text for one epoch on data that needs no files."""
    data = (r"IMAGES = \d+", "IMAGES = 20") if script.stem == OWN_IMAGES else ('DATA = "mnist"', 'DATA = "digits"')
    text = script.read_text()
    for setting, value in (data, (r"EPOCHS = \d+", "EPOCHS = 1")):
        text, found = re.subn(f"^{setting}", value, text, flags=re.MULTILINE)
        assert found == 1, f"{script.name} has no line {setting}"
    return text


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [pytest.param(s, marks=pytest.mark.long) if s.stem in SWEEPS else s for s in SCRIPTS],
    ids=lambda script: script.stem,
)
def test_it_runs_from_top_to_bottom(script, folder):
    mpl.use("Agg")
    code = compile(quick(script), script.name, "exec")
    exec(code, {"__name__": script.stem})
    assert [path.name for path in folder.iterdir()] == ["outputs"]
    assert plt.get_fignums()
    plt.close("all")


@EVERY_EXAMPLE
def test_its_notebook_has_its_cells_and_their_outputs(script):
    source, notebook = jupytext.read(script), nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)
    assert [(c.cell_type, c.source) for c in source.cells] == [(c.cell_type, c.source) for c in notebook.cells]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 1
    assert notebook.metadata.kernelspec.name == "python3"


@EVERY_EXAMPLE
def test_its_notebook_is_small_and_names_nothing_of_the_machine_that_wrote_it(script):
    text = script.with_suffix(".ipynb").read_text()
    assert len(text) < LARGEST
    assert not OF_A_MACHINE.search(re.sub(r'"image/png": "[^"]*"', "", text))


def test_the_list_of_examples_is_complete():
    listed = re.findall(r"\]\((\w+)\.ipynb\)", (FOLDER / "README.md").read_text())
    assert listed == [script.stem for script in SCRIPTS]
    assert len(SCRIPTS) == 7

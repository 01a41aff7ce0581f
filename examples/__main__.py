"""`python -m examples [NAME ...]`: run these notebooks, or all, and write them with their outputs.

The scripts beside this file are the source; MNIST is taken from LATENTLAB_DATA or ./data, or downloaded there.
"""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent
SCRIPTS = sorted(FOLDER.glob("0*.py"))


def executed(script: Path, folder: Path) -> nbformat.NotebookNode:
    """The notebook of a script, run in a folder, with its outputs, which do not name the folder."""
    notebook = jupytext.read(script)
    place = {"metadata": {"path": str(folder)}}
    options = {"timeout": None, "kernel_name": "python3", "record_timing": False, "coalesce_streams": True}
    NotebookClient(notebook, resources=place, **options).execute()
    for index, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{index}", {}
        if cell.cell_type == "code":  # warnings of libraries name the files of this machine
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    return notebook


def main(names: list[str]) -> int:
    """Write each notebook beside its script."""
    known = [script.stem for script in SCRIPTS]
    if unknown := [name for name in names if name not in known]:
        print(f"error: {unknown[0]}: expected one of {', '.join(known)}", file=sys.stderr)
        return 2
    # the notebooks run in folders of their own
    os.environ["LATENTLAB_DATA"] = str(Path(os.environ.get("LATENTLAB_DATA", "data")).absolute())
    for script in SCRIPTS:
        if names and script.stem not in names:
            continue
        start = time.monotonic()
        with TemporaryDirectory() as folder:
            notebook = executed(script, Path(folder))
        file = script.with_suffix(".ipynb")
        nbformat.write(notebook, file)
        print(f"{file.name}: {time.monotonic() - start:.0f} s, {file.stat().st_size / 1024:.0f} KB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

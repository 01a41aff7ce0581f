"""`make demo`: train all five variants in one sweep, then show them side by side on the common yardstick."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.commands.job import job
from latentlab.commands.keys_only import run_keys_only, sweep_folder, value_of
from latentlab.config import run_hydra
from latentlab.config.quoting import literal
from latentlab.errors import MissingData
from latentlab.runs import Run

if TYPE_CHECKING:
    from rich.table import Table

    from latentlab.data.base import ImageDataModule
    from latentlab.sweeps.manifest import Job

OWN_DATA = ("folder", "arrays")
FEW = 5_000  # training images
VARIANTS = "ae,sparse_ae,denoising_ae,vae,cvae"
COLUMNS = ("mse", "bce", "kl", "elbo")
USAGE = f"""latentlab demo [KEY=VALUE ...]
Trains {VARIANTS} in one sweep and prints them side by side, on MNIST or, without it, on bundled digits.
On your own images: data=folder data.root=FOLDER, or data=arrays data.file=FILE; without labels no cvae is trained.
Keys as in latentlab train --help: data.root=FOLDER  trainer.max_epochs=1  model=vae,cvae  seed=0,1,2"""


def main(arguments: list[str]) -> int:
    """Run the sweep, print the table and exit with the sweep's status."""
    return run_keys_only("demo", USAGE, demo, arguments)


def demo(given: list[str]) -> int:
    """The sweep's exit status.

    Raises:
        DataError: MNIST is there, but damaged.
    """
    from latentlab.config.composition import new_run_name

    name = value_of("sweep.name", given) or new_run_name()
    rest = [argument for argument in given if not argument.startswith("sweep.name=")]
    status = run_hydra(job, "train", ["-m", *_sweep(rest), f"sweep.name={literal(name)}"], sweeps=True)
    if status == 0:
        _show(Path(value_of("hydra.sweep.dir", given) or sweep_folder(name, given)))
    return status


def _sweep(given: list[str]) -> list[str]:
    """The whole sweep's arguments, those given last, so that they win."""
    variants, few = VARIANTS, False
    if value_of("data", given) in OWN_DATA:
        own = _own_data(given)
        few = len(own.train.labels) < FEW
        if own.num_classes == 0 and not value_of("model", given):
            print(f"{own.name} has no labels, which a cvae needs: the other four variants are trained", flush=True)
            variants = variants.removesuffix(",cvae")
    models = [] if value_of("model", given) else [f"model={variants}"]
    return [*models, *_recipe(given, few), *given]


def _own_data(given: list[str]) -> ImageDataModule:
    """The user's own images, loaded, to know whether there are labels, and how many images.

    Raises:
        UserError: they are missing, damaged or do not fit.
    """
    from latentlab.processes.torch_build import import_with_torch

    import_with_torch("latentlab.training.build")
    from latentlab.config.command_line import composed
    from latentlab.training.build import build_data

    chosen = [text for text in given if text.startswith(("data", "paths."))]
    # of several values that are swept, the first: they have the same labels
    return build_data(composed("train", [text if "[" in text else text.split(",")[0] for text in chosen], None))


def _recipe(given: list[str], few: bool) -> list[str]:
    """The recipe for MNIST where it is found or can be downloaded, else for the bundled digits, with a message.

    Of other data, that of MNIST or, for few images, that of the digits, which has more epochs.

    few: whether there are few images.
    """
    if value_of("experiment", given):
        return []
    data = value_of("data", given)
    if data not in (None, "mnist"):
        return ["experiment=demo_digits" if few or data == "digits" else "experiment=demo"]
    from latentlab.processes.torch_build import import_with_torch

    import_with_torch("latentlab.data.torchvision_sets")
    from latentlab.data.torchvision_sets import MNISTDataModule

    root = value_of("data.root", given) or os.environ.get("LATENTLAB_DATA") or "data"
    try:
        MNISTDataModule(root=root).prepare_data()
    except MissingData as error:
        if data:
            raise
        print(f"\n*** NO MNIST: using the 1,797 digits bundled with scikit-learn. {error.found} ***\n", flush=True)
        return ["experiment=demo_digits"]
    return ["experiment=demo"]


def _show(folder: Path) -> None:
    from rich.console import Console

    from latentlab.sweeps.manifest import Manifest

    found = {entry: Run(folder / entry.folder) for entry in Manifest.of(folder).jobs}
    complete = {entry: run for entry, run in found.items() if run.metrics is not None}
    Console().print(_table(complete))
    for run in complete.values():
        for picture in run.figures:
            print(_from_here(picture))


def _table(complete: dict[Job, Run]) -> Table:
    """A row per run, within 80 columns; a metric that a variant does not have is a dash."""
    from rich import box
    from rich.table import Table

    data = ", ".join(sorted({run.metrics["data"] for run in complete.values() if run.metrics}))
    title = f"{data}, test images: mse per pixel; bce, kl and elbo in nats per image"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("variant", overflow="fold")
    for heading in (*COLUMNS, "parameters", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    shared = frozenset.intersection(*(frozenset(entry.overrides) for entry in complete))
    for entry, run in complete.items():
        metrics = run.metrics
        assert metrics is not None  # of a complete run
        values = [_rounded(metrics["metrics"].get(f"test/{column}")) for column in COLUMNS]
        table.add_row(
            _label(frozenset(entry.overrides), shared),
            *values,
            f"{metrics['parameters']:,}",
            f"{metrics['train_seconds']:.1f}",
        )
    return table


def _label(overrides: frozenset[str], shared: frozenset[str]) -> str:
    """The variant, and what else sets the run apart from the others."""
    variant = [o.removeprefix("model=") for o in overrides if o.startswith("model=")]
    return " ".join([*variant, *sorted(o for o in overrides - shared if not o.startswith("model="))])


def _rounded(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"


def _from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path

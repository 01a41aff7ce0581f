"""`make demo`: train all five variants in one sweep, then show them side by side on the common yardstick."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from latentlab.commands.job import job
from latentlab.commands.keys_only import run_keys_only, value_of
from latentlab.config import run_hydra
from latentlab.errors import MissingData
from latentlab.runs import Run

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from rich.table import Table

VARIANTS = "ae,sparse_ae,denoising_ae,vae,cvae"
COLUMNS = ("mse", "bce", "kl", "elbo")
USAGE = f"""latentlab demo [KEY=VALUE ...]
Trains {VARIANTS} in one sweep and prints them side by side, on MNIST or, without it, on bundled digits.
Keys as in latentlab train --help: data.root=FOLDER  trainer.max_epochs=1  model=vae,cvae  seed=0,1,2"""


class Trained(NamedTuple):
    """One job of the sweep: what was chosen for it, and its folder."""

    overrides: frozenset[str]
    run: Run


def main(arguments: list[str]) -> int:
    """Run the sweep, print the table and exit with the sweep's status."""
    return run_keys_only("demo", USAGE, demo, arguments)


def demo(given: list[str]) -> int:
    """The sweep's exit status.

    Raises:
        DataError: MNIST is there, but damaged.
    """
    arguments = _sweep(given)
    trained: list[Trained] = []

    def recording(config: DictConfig) -> float:
        from hydra.core.hydra_config import HydraConfig

        from latentlab.sweeps.launching import SWEEP_KEYS

        value = job(config)
        chosen = frozenset(o for o in HydraConfig.get().overrides.task if not o.startswith(SWEEP_KEYS))
        trained.append(Trained(chosen, Run(config.paths.run_dir)))
        return value

    status = run_hydra(recording, "train", ["-m", *arguments], sweeps=True)
    if status == 0:
        _show(trained)
    return status


def _sweep(given: list[str]) -> list[str]:
    """The whole sweep's arguments, those given last, so that they win."""
    models = [] if value_of("model", given) else [f"model={VARIANTS}"]
    return [*models, *_recipe(given), *given]


def _recipe(given: list[str]) -> list[str]:
    """The demo on MNIST where it is found or can be downloaded, else on the bundled digits, said aloud."""
    if value_of("experiment", given):
        return []
    data = value_of("data", given)
    if data not in (None, "mnist"):
        return ["experiment=demo_digits" if data == "digits" else "experiment=demo"]
    from latentlab.processes.torch_build import require_one_build

    require_one_build()
    from latentlab.data.torchvision_sets import MNISTDataModule

    root = value_of("data.root", given) or os.environ.get("LATENTLAB_DATA") or "data"
    try:
        MNISTDataModule(root=root).prepare_data()
    except MissingData as error:
        if data:
            raise
        said = str(error).partition(";")[0]
        print(f"\n*** NO MNIST: going on with the 1,797 digits bundled with scikit-learn. {said} ***\n", flush=True)
        return ["experiment=demo_digits"]
    return ["experiment=demo"]


def _show(trained: list[Trained]) -> None:
    from rich.console import Console

    Console().print(_table(trained))
    for _, run in trained:
        for picture in run.figures:
            print(_from_here(picture))


def _table(trained: list[Trained]) -> Table:
    """A row a run, within 80 columns; a figure that a variant does not have is a dash."""
    from rich import box
    from rich.table import Table

    data = ", ".join(sorted({run.metrics["data"] for _, run in trained if run.metrics}))
    title = f"{data}, test images: mse per pixel; bce, kl and elbo in nats per image"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("variant", overflow="fold")
    for heading in (*COLUMNS, "parameters", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    shared = frozenset.intersection(*(overrides for overrides, _ in trained))
    for overrides, run in trained:
        metrics = run.metrics
        assert metrics is not None  # a run that ended well
        figures = [_rounded(metrics["metrics"].get(f"test/{column}")) for column in COLUMNS]
        table.add_row(
            _label(overrides, shared),
            *figures,
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

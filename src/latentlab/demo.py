"""`make demo`: train all five variants in one sweep, then show them side by side on the common yardstick."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from latentlab.errors import UserError

VARIANTS = ("ae", "sparse_ae", "denoising_ae", "vae", "cvae")
COLUMNS = ("test/mse", "test/bce", "test/kl", "test/elbo")


def main() -> None:
    """Run the sweep, print the table and exit with the sweep's status."""
    given = sys.argv[1:]
    folder = Path(_value("paths.output_dir", given) or "outputs") / "sweeps" / "demo"
    try:
        data = _data(given)
    except UserError as error:
        sys.exit(f"error: {error}")
    sweep = ["-m", f"model={','.join(VARIANTS)}", "experiment=demo", *data, f"hydra.sweep.dir='{folder}'", *given]
    status = subprocess.run([sys.executable, "-m", "latentlab.train", *sweep], check=False).returncode
    if status == 0:
        _print_table(folder)
    sys.exit(status)


def _data(given: list[str]) -> list[str]:
    """MNIST where it is found or can be downloaded, else the bundled digits, said aloud."""
    if _value("data", given):
        return []
    from latentlab.torch_build import require_one_build

    require_one_build()
    from latentlab.data.torchvision_sets import MNISTDataModule
    from latentlab.errors import DataError

    root = _value("data.root", given) or os.environ.get("LATENTLAB_DATA", "data")
    try:
        MNISTDataModule(root=root).prepare_data()
    except DataError as error:
        if "damaged" in str(error):
            raise
        print(f"\n*** NO MNIST: going on with scikit-learn's 1,797 bundled digits at 28x28. ({error}) ***\n")
        return ["data=digits"]
    return ["data=mnist"]


def _value(key: str, given: list[str]) -> str | None:
    return next((a.partition("=")[2].strip("'\"") for a in reversed(given) if a.startswith(f"{key}=")), None)


def _print_table(folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from latentlab.runs import Run

    runs = {variant: Run(_folder_of(folder, variant)) for variant in VARIANTS}
    console = Console()
    table = Table(title="test set: mse per pixel; bce, kl and elbo in nats per image")
    for heading in ("variant", *(name.removeprefix("test/") for name in COLUMNS), "parameters", "seconds"):
        table.add_column(heading, justify="left" if heading == "variant" else "right")
    for variant, run in runs.items():
        metrics = run.metrics or {}
        figures = [metrics["metrics"].get(column) for column in COLUMNS]
        shown = ["-" if value is None else f"{value:.4g}" if value < 1 else f"{value:.2f}" for value in figures]
        table.add_row(variant, *shown, f"{metrics['parameters']:,}", f"{metrics['train_seconds']:.1f}")
    console.print(table)
    for run in runs.values():
        for picture in run.figures:
            print(picture)


def _folder_of(sweep: Path, variant: str) -> Path:
    return next(job for job in sweep.iterdir() if f"model={variant}" in job.name.split(","))


if __name__ == "__main__":
    main()

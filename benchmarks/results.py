"""The results of a benchmark: a table on the screen, JSON and one plot in outputs/bench."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from latentlab.processes.processor import has_bfloat16, processor

FOLDER = Path("outputs/bench")


@dataclass
class Bar:
    """A bound on a measured value: `found` should be at most (or, with `least`, at least) `bound`."""

    what: str
    found: float
    bound: float
    least: bool = False

    @property
    def holds(self) -> bool:
        return self.found >= self.bound if self.least else self.found <= self.bound


@dataclass
class Results:
    """The rows of one benchmark's table, its bars, and what its plot shows.

    label: the column that names a row. drawn: the columns that the plot shows as bars beside each other.
    unit: of the drawn values.
    """

    name: str
    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    label: str = "what"
    drawn: Sequence[str] = ()
    unit: str = ""
    log_scale: bool = False

    def publish(self, folder: Path = FOLDER) -> None:
        """Print the table and write `NAME.json` and `NAME.png`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._print()
        content = {
            "title": self.title,
            "machine": machine(),
            "date": f"{datetime.now():%Y-%m-%d}",
            "rows": self.rows,
            "bars": [{**vars(bar), "holds": bar.holds} for bar in self.bars],
        }
        (folder / f"{self.name}.json").write_text(json.dumps(content, indent=2) + "\n")
        self._draw(folder / f"{self.name}.png")

    def _print(self) -> None:
        table = Table(title=self.title)
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        for name in columns:
            table.add_column(name, justify="left" if isinstance(self.rows[0].get(name), str) else "right")
        for row in self.rows:
            table.add_row(*(_shown(row.get(name)) for name in columns))
        console = Console(width=150)
        console.print(table)
        for bar in self.bars:
            sign = ">=" if bar.least else "<="
            outcome = "holds" if bar.holds else "MISSED"
            console.print(f"  {outcome:6}  {bar.what}: {bar.found:.3f} (bar {sign} {bar.bound})")

    def _draw(self, path: Path) -> None:
        figure = Figure(figsize=(8, 1.6 + 0.3 * len(self.rows) * max(1, len(self.drawn))), layout="constrained")
        axes = figure.subplots()
        height = 0.8 / max(1, len(self.drawn))
        for k, name in enumerate(self.drawn):
            positions = [row + k * height for row in range(len(self.rows))]
            axes.barh(positions, [row.get(name) or 0 for row in self.rows], height, label=name, align="edge")
        axes.set_yticks([row + 0.4 for row in range(len(self.rows))], [str(row[self.label]) for row in self.rows])
        axes.margins(y=0.01)
        axes.invert_yaxis()
        if self.log_scale:
            axes.set_xscale("log")
        axes.set_xlabel(self.unit)
        axes.set_title(f"{self.title}\n{machine()}", fontsize=9)
        axes.legend(fontsize=8)
        FigureCanvasAgg(figure).print_png(path)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def machine() -> str:
    """Processor, number of cores, GPU and version of torch, in one line."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{processor()}{' with bf16' if has_bfloat16() else ''}, {device}, torch {torch.__version__}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return "-" if value is None else str(value)

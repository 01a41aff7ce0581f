"""Numbers in a matrix, coloured by their value."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from latentlab.figures.style import SMALL_SIZE, TEXT_SIZE, new_figure


def matrices(
    panels: Mapping[str, Sequence[Sequence[float]]],
    rows: Sequence[str],
    cells: Sequence[Sequence[str]],
    lower_is_better: Collection[str],
    title: str,
    subtitle: str,
) -> Figure:
    """One panel per heading, each a matrix with the same rows; `cells` label the cells. Brighter is better."""
    figure = new_figure(7.0, 0.45 * len(rows) * len(panels) + 0.35 * len(panels), title, subtitle)
    for axes, (heading, values) in zip(np.ravel(figure.subplots(len(panels), 1)), panels.items(), strict=True):
        table = np.asarray(values)
        goodness = -table if heading in lower_is_better else table
        axes.imshow(goodness, cmap="cividis", aspect="auto")
        axes.set_title(heading, fontsize=TEXT_SIZE, loc="left")
        axes.set_yticks(range(len(rows)), labels=rows, fontsize=TEXT_SIZE)
        axes.set_xticks([])
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        middle = (goodness.min() + goodness.max()) / 2
        for (row, column), value in np.ndenumerate(table):
            axes.text(
                column,
                row,
                f"{cells[row][column]}:  {value:.3g}",
                ha="center",
                va="center",
                fontsize=SMALL_SIZE + 1,
                color="white" if goodness[row, column] < middle else "black",
            )
    return figure

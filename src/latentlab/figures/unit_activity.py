"""Which units of the code are active."""

from collections.abc import Sequence

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from latentlab.figures.style import BLUE, GREY, TEXT_SIZE, VERMILLION, new_figure, plain_axes

ACTIVE_VARIANCE = 0.01  # Burda et al. 2016, section 5.2
MIN_VARIANCE = 1e-6  # a unit below counts as constant and is drawn at this value
VARIANCE_LIMITS = (1e-3, 10.0)
FEW_UNITS = 10
MAX_NAMES = 40


def unit_activity(
    mean: Float[Tensor, " d"], variance: Float[Tensor, " d"], kl: Float[Tensor, " d"] | None, title: str, subtitle: str
) -> Figure:
    """Mean and variance of each unit of the code over the images, and its KL where there is one, (D,) each.

    In all panels units are sorted by their KL, or else by their variance, in descending order. Where there is a
    posterior, a line marks the variance above which Burda et al. 2016 call a unit active.
    """
    order = (variance if kl is None else kl).argsort(descending=True)
    panels = 2 if kl is None else 3
    figure = new_figure(6.4, 1.6 * panels + 0.3, title, subtitle)
    rows: Sequence[Axes] = figure.subplots(panels, 1, sharex=True)
    ranks = list(range(len(order)))
    rows[0].axhline(0, color=GREY, linewidth=0.6)
    rows[0].plot(ranks, mean[order].cpu().numpy(), "o", color=BLUE, markersize=_dot_size(len(order)))
    rows[0].set_ylabel("mean of the code")
    _variance_panel(rows[1], ranks, variance[order], kl is not None)
    if kl is not None:
        rows[2].bar(ranks, kl[order].cpu().numpy(), color=BLUE, width=0.8)
        rows[2].set_ylabel("KL (nats per image)")
        _note(rows[2], f"{float(kl.sum()):.1f} nats in total")
    for axes in rows:
        plain_axes(axes)
    _name_units(rows[-1], order.tolist(), "variance" if kl is None else "KL")
    figure.align_ylabels(list(rows))
    return figure


def _variance_panel(axes: Axes, ranks: list[int], variance: Float[Tensor, " d"], has_posterior: bool) -> None:
    values = variance.cpu()
    axes.plot(ranks, values.clamp_min(MIN_VARIANCE).numpy(), "o", color=BLUE, markersize=_dot_size(len(values)))
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, VARIANCE_LIMITS[0]), max(high, VARIANCE_LIMITS[1]))  # comparable from run to run
    axes.grid(axis="y", linewidth=0.4, alpha=0.6)
    axes.set_ylabel("variance of the code")
    if has_posterior:
        active = int((values > ACTIVE_VARIANCE).sum())
        axes.axhline(ACTIVE_VARIANCE, color=VERMILLION, linewidth=1, linestyle="--")
        _note(axes, f"{active} of {len(ranks)} units above {ACTIVE_VARIANCE:g} (dashed): active")
    elif dead := int((values <= MIN_VARIANCE).sum()):
        _note(axes, f"{dead} of {len(ranks)} units constant")


def _note(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="right", size=TEXT_SIZE, color=GREY, pad=3)


def _name_units(axes: Axes, order: list[int], sorted_by: str) -> None:
    named = len(order) <= MAX_NAMES
    if named:
        size = min(TEXT_SIZE, 260 / len(order))
        axes.set_xticks(range(len(order)), labels=[str(unit) for unit in order], fontsize=size)
        axes.tick_params(axis="x", labelsize=size)
    middle, half = (len(order) - 1) / 2, max(len(order), FEW_UNITS) / 2
    axes.set_xlim(middle - half - 0.3, middle + half + 0.3)
    axes.set_xlabel(f"unit of the code{'' if named else ': rank'}, sorted by {sorted_by}")


def _dot_size(units: int) -> float:
    return max(1.5, min(4.0, 160 / units))

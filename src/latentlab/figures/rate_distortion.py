"""What codes cost against what they leave unsaid."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from latentlab.figures.style import BLUE, GREY, TEXT_SIZE, new_figure, plain_axes


def rate_distortion(points: Mapping[str, tuple[float, float]], title: str, subtitle: str) -> Figure:
    """Rate and distortion of each model, by name, in nats an image, joined in the order of their rates.

    Lines of equal ELBO run down to the right: along one of them, a nat saved is a nat left unsaid (Alemi et al. 2018).
    """
    figure = new_figure(6.0, 4.8, title, subtitle)
    axes = figure.add_subplot()
    ordered = sorted(points.items(), key=lambda item: item[1])
    rates, distortions = zip(*(place for _, place in ordered), strict=True)
    axes.plot(rates, distortions, "o-", color=BLUE, markersize=5, linewidth=1)
    for name, (rate, distortion) in ordered:
        side = "right" if rate > 0.75 * max(rates) else "left"  # so that it stays within the picture
        text = axes.annotate(name, (rate, distortion), (5, 4), textcoords="offset points", fontsize=TEXT_SIZE, ha=side)
        text.set_in_layout(False)
    best = min(rate + distortion for rate, distortion in points.values())
    axes.axline((0, best), slope=-1, color=GREY, linewidth=0.8, linestyle="--", label=f"-ELBO {best:.1f}, the least")
    axes.set_xlim(0, 1.12 * max(rates) + 1)
    axes.set_ylim(0.9 * min(distortions), 1.05 * max(distortions))
    axes.set_xlabel("rate: KL (nats an image)")
    axes.set_ylabel("distortion: -log p(x|z) (nats an image)")
    axes.legend(fontsize=TEXT_SIZE, frameon=False)
    plain_axes(axes)
    return figure

"""The distribution of the codes, and images decoded from a grid over a low-dimensional latent space."""

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from sklearn.manifold import TSNE
from torch import Tensor

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.samplers import generate
from latentlab.evaluation.subject import Subject
from latentlab.figures.decoded_plane import decoded_plane
from latentlab.figures.images import image_grid
from latentlab.figures.latent_plane import latent_plane
from latentlab.figures.posterior_ellipses import posterior_ellipses
from latentlab.models.priors import has_standard_prior

REACH = 5.0
STRIP_POINTS = 25
PLANE_POINTS = 21
ELLIPSES = 150
MAX_CODES = 10_000
TSNE_CODES = 4_000


def codes_in_the_plane(subject: Subject) -> Figure:
    """Test codes of two units, the principal components of more, or histograms of one."""
    codes = subject.test_codes
    z, y = codes.z[:MAX_CODES], codes.y[:MAX_CODES]
    line = subject.caption(f"{len(y):,} test images.")
    return latent_plane(z, y, subject.data.class_names, "Latent codes", line)


def codes_by_tsne(subject: Subject) -> Figure:
    """t-SNE of test codes of more than two units (van der Maaten and Hinton 2008)."""
    codes = subject.test_codes
    if codes.z.shape[1] <= 2:
        raise NotApplicable("its code has at most two units")
    z, y = codes.z[:TSNE_CODES], codes.y[:TSNE_CODES]
    if (z == z[0]).all():  # scikit-learn's t-SNE would crash the process
        raise NotApplicable("all its codes are equal")
    perplexity = min(30.0, (len(z) - 1) / 3)
    points = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(z.cpu().numpy())
    line = subject.caption(f"{len(y):,} test images, perplexity {perplexity:g}. Distances of clusters mean little.")
    axes = ("t-SNE, first", "t-SNE, second")
    return latent_plane(torch.from_numpy(points), y, subject.data.class_names, "Latent codes by t-SNE", line, axes)


def strip(subject: Subject) -> Figure:
    """Images decoded from codes of one unit, over [-5, 5] or the range of the codes, and at quantiles."""
    z = subject.train_codes.z
    if z.shape[1] != 1:
        raise NotApplicable("its code has more than one unit")
    low, high = _range(subject)
    even = torch.linspace(low, high, STRIP_POINTS)
    levels = (torch.arange(STRIP_POINTS) + 0.5) / STRIP_POINTS
    own = has_standard_prior(subject.model)
    quantiles = torch.special.ndtri(levels) if own else z[:, 0].cpu().float().quantile(levels)
    points = torch.cat((even, quantiles)).unsqueeze(1).to(z)
    images, condition = _decoded(subject, points)
    names = [f"{low:.1f} to {high:.1f}", "quantiles"]
    source = "the prior's" if own else "the training codes'"
    line = subject.caption(
        f"Above: {STRIP_POINTS} codes at even steps. Below: {source} quantiles, {levels[0]:.0%} to {levels[-1]:.0%}."
        f"{condition}"
    )
    return image_grid(images, STRIP_POINTS, "What each code decodes to", line, names, "code")


def plane(subject: Subject) -> Figure:
    """Images decoded on a grid of codes of two units, in front of the density of the training codes."""
    z = subject.train_codes.z
    if z.shape[1] != 2:
        raise NotApplicable("its code does not have two units")
    low, high = _range(subject)
    ticks = torch.linspace(low, high, PLANE_POINTS)
    points = torch.cartesian_prod(ticks.flip(0), ticks).flip(1).to(z)  # row by row from the top left
    images, condition = _decoded(subject, points)
    line = subject.caption(
        f"{PLANE_POINTS} x {PLANE_POINTS} codes, decoded; the background colour is the density of {len(z):,} "
        f"training codes.{condition}"
    )
    return decoded_plane(images, z, (low, high), "What each code decodes to", line)


def ellipses(subject: Subject) -> Figure:
    """The posteriors of some test images, in the two most active units."""
    x, y = subject.test_batch.x[:ELLIPSES], subject.test_batch.y[:ELLIPSES]
    with torch.no_grad():
        posterior = subject.model.encode(x, y).posterior
    if posterior is None:
        raise NotApplicable("it has no posterior")
    if posterior.mean.shape[1] < 2:
        raise NotApplicable("its code has one unit")
    units = subject.test_codes.activity.argsort(descending=True)[:2].sort().values
    own = has_standard_prior(subject.model)
    dashed = "; dashed: the prior's" if own else ""
    line = subject.caption(f"{len(y)} test images; each ellipse is one standard deviation{dashed}.")
    return posterior_ellipses(
        posterior.mean[:, units],
        (0.5 * posterior.log_var[:, units]).exp(),
        y,
        subject.data.class_names,
        units.tolist(),
        "Posteriors",
        line,
        standard_prior=own,
    )


def _decoded(subject: Subject, points: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n c h w"], str]:
    """The image of each code, and a caption's sentence on the one label that a conditional model decodes with."""
    images = generate(subject.model, points, torch.zeros(len(points), dtype=torch.int64, device=points.device))
    if not subject.model.conditional:
        return images, ""
    return images, f" The decoder is conditioned on the label {subject.data.class_names[0]}."


def _range(subject: Subject) -> tuple[float, float]:
    """[-5, 5] if the prior is N(0, I), else the smallest range with the central 99 % of every unit of the codes."""
    if has_standard_prior(subject.model):
        return -REACH, REACH
    tails = torch.tensor([0.005, 0.995])
    low, high = subject.train_codes.z.cpu().float().quantile(tails, 0)
    return float(low.min()), float(high.max())

"""Generated images: decoded samples of codes."""

import torch
from matplotlib.figure import Figure

from latentlab.evaluation.metrics.samplers import generate
from latentlab.evaluation.subject import Subject
from latentlab.figures.images import image_grid

COLUMNS, ROWS = 12, 10
SEED = 0
TITLES = {
    "prior": "Samples from the prior",
    "gaussian": "Samples from a fitted Gaussian",
    "mixture": "Samples from a fitted mixture",
}
SOURCES = {
    "prior": "the prior",
    "gaussian": "a Gaussian fitted to the training codes (this variant has no prior)",
    "mixture": "a mixture of ten Gaussians fitted to the training codes",
}


def prior_samples(subject: Subject) -> Figure:
    """Samples of the variant's prior, or of a Gaussian fitted to the training codes."""
    return _samples(subject, next(iter(subject.sources)))


def mixture_samples(subject: Subject) -> Figure:
    """Samples of a mixture of Gaussians fitted to the training codes."""
    return _samples(subject, "mixture")


def _samples(subject: Subject, source: str) -> Figure:
    model, title = subject.model, TITLES[source]
    rows = model.num_classes if model.conditional else ROWS
    z, y = subject.sources[source](rows * COLUMNS, torch.Generator().manual_seed(SEED))
    if not model.conditional:
        line = subject.caption(f"{len(z)} codes from {SOURCES[source]}.")
        return image_grid(generate(model, z, y), COLUMNS, title, line)
    by_label = y.argsort(stable=True)
    origin = "the Gaussian fitted to the training codes of the label" if source == "mixture" else SOURCES[source]
    line = subject.caption(f"{COLUMNS} codes per label from {origin}.")
    names = list(subject.data.class_names)
    images = generate(model, z[by_label], y[by_label])
    return image_grid(images, COLUMNS, f"{title}, by label", line, names, "label that the decoder is conditioned on")

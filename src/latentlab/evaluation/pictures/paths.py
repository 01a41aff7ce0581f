"""Interpolations and traversals: images along paths in the latent space."""

import torch
from jaxtyping import Int
from matplotlib.figure import Figure
from torch import Tensor

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.samplers import generate
from latentlab.evaluation.subject import Subject
from latentlab.figures.images import image_grid
from latentlab.functional.paths import linear, spherical

PAIRS, POINTS = 6, 11
UNITS = 14
REACH = 3.0  # standard deviations


def interpolations(subject: Subject) -> Figure:
    """Linear and spherical paths between two test images, of the same label if the model is conditional."""
    x, y, z = subject.test_batch.x, subject.test_batch.y, subject.test_codes.z
    fraction = torch.linspace(0, 1, POINTS, device=z.device).unsqueeze(1)
    rows, labels = [], []
    for one, other in _pairs(y, same=subject.model.conditional):
        for name, path in (("linear", linear), ("spherical", spherical)):
            images = generate(subject.model, path(z[one], z[other], fraction), y[one].expand(POINTS))
            rows.append(torch.cat((x[one : one + 1], images, x[other : other + 1])))
            labels.append(name)
    line = subject.caption(
        "The outermost images of a row are test images, those between them decoded codes at even steps."
    )
    if not rows:
        raise NotApplicable("there are no two test images")
    return image_grid(torch.cat(rows), POINTS + 2, "Interpolations", line, labels, "path between two codes")


def traversals(subject: Subject) -> Figure:
    """The code of one test image with one unit varied per row, the most active unit first."""
    codes, model = subject.test_codes, subject.model
    activity = codes.activity
    units = activity.argsort(descending=True)[:UNITS]
    mean, deviation = codes.z.mean(0), codes.z.std(0, correction=0)
    reach = torch.linspace(-REACH, REACH, POINTS, device=codes.z.device)
    rows = []
    for unit in units.tolist():
        z = codes.z[0].repeat(POINTS, 1)
        z[:, unit] = mean[unit] + reach * deviation[unit]
        rows.append(generate(model, z, codes.y[:1].expand(POINTS)))
    measure, unit_of = ("variance", "") if codes.kl is None else ("KL", " nats")
    names = [f"{unit}: {float(activity[unit]):.2g}{unit_of}" for unit in units.tolist()]
    line = subject.caption(
        f"Each row varies one unit of a test image's code from -{REACH:g} to {REACH:g} standard deviations around "
        "its mean."
    )
    return image_grid(torch.cat(rows), POINTS, "Traversals", line, names, f"unit of the code and its {measure}")


def _pairs(y: Int[Tensor, " n"], same: bool) -> list[tuple[int, int]]:
    """Random pairs of rows with the same label or with different labels; without labels any pairs."""
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0)).tolist()
    labelled = bool((y >= 0).all())
    found: list[tuple[int, int]] = []
    while order and len(found) < PAIRS:
        one = order.pop()
        other = next((row for row in order if not labelled or bool(y[row] == y[one]) == same), None)
        if other is not None:
            order.remove(other)
            found.append((one, other))
    return found

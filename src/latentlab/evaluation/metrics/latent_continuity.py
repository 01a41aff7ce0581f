"""Whether the latent space has an order: neighbours decode alike, and every point means something."""

from collections.abc import Iterator

import torch

from latentlab.evaluation.metrics.samplers import Sampler, generate
from latentlab.evaluation.reference_classifier import ReferenceClassifier
from latentlab.models.base import Autoencoder
from latentlab.models.codes import Codes

STEP = 0.25  # standard deviations of the code


def order(
    model: Autoencoder, codes: Codes, source: Sampler, classifier: ReferenceClassifier, seed: int = 0
) -> Iterator[tuple[str, float]]:
    """Continuity, over short steps from the codes of test images, and completeness, over points of the whole space:

    step_label_changes: share of steps after which the reference classifier sees another label in the decoded image.
    step_picture_moves: how far the picture moves in a step: root mean square over pixels, grey levels in [0, 1].
    completeness: share of points drawn from the prior, or from a Gaussian fitted to the codes of a variant that has
        none, that decode to an image whose label the reference classifier is at least 95 % sure of.

    A step goes in a random direction; each unit moves in proportion to its standard deviation over the codes, so
    that a step is a quarter of the code's spread whatever its scale.
    """
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn(codes.z.shape, generator=generator).to(codes.z)
    direction = direction / direction.square().mean(1, keepdim=True).sqrt()
    step = STEP * codes.z.std(0, correction=0) * direction
    before, after = (generate(model, z, codes.y) for z in (codes.z, codes.z + step))
    changed = classifier(before).labels != classifier(after).labels
    yield "step_label_changes", float(changed.double().mean())
    yield "step_picture_moves", float((after - before).double().square().mean((1, 2, 3)).sqrt().mean())
    z, y = source(len(codes.z), generator)
    yield "completeness", classifier(generate(model, z, y)).confident_fraction

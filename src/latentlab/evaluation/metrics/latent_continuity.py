"""Latent continuity (near codes decode to similar images) and completeness (every code decodes to a valid image)."""

from collections.abc import Iterator

import torch

from latentlab.evaluation.metrics.samplers import Sampler, generate
from latentlab.evaluation.reference_classifier import ReferenceClassifier
from latentlab.models.base import Autoencoder
from latentlab.models.codes import Codes

STEP = 0.25  # standard deviations of the codes


def latent_continuity(
    model: Autoencoder, codes: Codes, source: Sampler, classifier: ReferenceClassifier
) -> Iterator[tuple[str, float]]:
    """Continuity over short steps from the codes of test images, and completeness over codes drawn from `source`:

    step_label_changes: fraction of steps that change the predicted label of the decoded image; lower is smoother.
    step_picture_moves: root mean square difference of the decoded images, in grey levels of [0, 1]; lower is smoother.
    completeness: fraction of codes that decode to an image with a label of at least 95 % probability; higher is better.

    A step is z' = z + 0.25 s u: s the standard deviation of each unit over the codes, u a random direction whose root
    mean square over the units is 1.

    source: the prior, or a Gaussian fitted to the codes of a variant without one.
    """
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(codes.z.shape, generator=generator).to(codes.z)
    direction = direction / direction.square().mean(1, keepdim=True).sqrt()
    step = STEP * codes.z.std(0, correction=0) * direction
    before, after = (generate(model, z, codes.y) for z in (codes.z, codes.z + step))
    changed = classifier(before).labels != classifier(after).labels
    yield "step_label_changes", float(changed.double().mean())
    yield "step_picture_moves", float((after - before).double().square().mean((1, 2, 3)).sqrt().mean())
    z, y = source(len(codes.z), generator)
    yield "completeness", classifier(generate(model, z, y)).confident_fraction

"""Latent continuity: near codes decode to similar images."""

from collections.abc import Iterator

import torch

from latentlab.evaluation.metrics.samplers import generate
from latentlab.evaluation.reference_classifier import ReferenceClassifier
from latentlab.models.base import Autoencoder
from latentlab.models.codes import Codes

SIZE = 0.25  # of a perturbation, in standard deviations of the codes


def latent_continuity(model: Autoencoder, codes: Codes, classifier: ReferenceClassifier) -> Iterator[tuple[str, float]]:
    """What a small perturbation of the test images' codes does to the decoded images; lower is smoother:

    perturbed_code_label_changes: fraction of perturbations that change the predicted label.
    perturbed_code_image_rmse: root mean square difference of the images, in grey levels of [0, 1], their mean.

    A perturbed code is z' = z + 0.25 s u: s the standard deviation of each unit over the codes, u a random direction
    whose root mean square over the units is 1.
    """
    direction = torch.randn(codes.z.shape, generator=torch.Generator().manual_seed(0)).to(codes.z)
    direction = direction / direction.square().mean(1, keepdim=True).sqrt()
    perturbed = codes.z + SIZE * codes.z.std(0, correction=0) * direction
    before, after = (generate(model, z, codes.y) for z in (codes.z, perturbed))
    changed = classifier(before).labels != classifier(after).labels
    yield "perturbed_code_label_changes", float(changed.double().mean())
    yield "perturbed_code_image_rmse", float((after - before).double().square().mean((1, 2, 3)).sqrt().mean())

"""The filters of the encoder's first layer and of the decoder's last layer."""

import math

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor, nn

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.subject import Subject
from latentlab.figures.images import image_grid

COLUMNS, MAX_FILTERS = 12, 72


def encoder_filters(subject: Subject) -> Figure:
    """The weights of the first layer, one image per unit or channel."""
    pixels = math.prod(subject.data.image_shape)
    for first in _weighted(subject.model.encoder)[:1]:
        if isinstance(first, nn.Linear) and first.in_features >= pixels:
            return _drawn(subject, _images(first.weight[:, :pixels], subject), "Filters of the encoder")
        if isinstance(first, nn.Conv2d):
            return _drawn(subject, first.weight, "Filters of the encoder")
    raise NotApplicable("its encoder has no filters of the whole image or of a patch")


def decoder_filters(subject: Subject) -> Figure:
    """The weights of the last layer, one image per input."""
    model, pixels = subject.model, math.prod(subject.data.image_shape)
    if {*map(id, model.encoder.parameters())} & {*map(id, model.decoder.parameters())}:
        raise NotApplicable("its decoder has tied weights, those of the encoder's filters")
    for last in _weighted(model.decoder)[-1:]:
        if isinstance(last, nn.Linear) and last.out_features == pixels:
            return _drawn(subject, _images(last.weight.T, subject), "Filters of the decoder")
        if isinstance(last, nn.ConvTranspose2d):
            return _drawn(subject, last.weight, "Filters of the decoder")
    raise NotApplicable("its decoder has no filters of the whole image or of a patch")


def _weighted(net: nn.Module) -> list[nn.Module]:
    """The layers with a weight matrix, in the order of the forward pass."""
    return [module for module in net.modules() if isinstance(getattr(module, "weight", None), Tensor)]


def _images(weights: Float[Tensor, "n pixels"], subject: Subject) -> Float[Tensor, "n c h w"]:
    return weights.reshape(-1, *subject.data.image_shape)


def _drawn(subject: Subject, weights: Float[Tensor, "n c h w"], title: str) -> Figure:
    weights = weights.detach()
    if weights.shape[1] not in (1, 3):
        weights = weights.flatten(0, 1).unsqueeze(1)
    strongest = weights.flatten(1).norm(dim=1).argsort(descending=True)[:MAX_FILTERS]
    shown = weights[strongest]
    largest = shown.abs().flatten(1).max(1).values.clamp_min(torch.finfo(shown.dtype).tiny)
    images = 0.5 + 0.5 * shown / largest[:, None, None, None]
    line = subject.caption(
        f"The {len(shown)} filters of largest norm of {len(weights)}; grey is 0, white and black are plus and minus "
        "the largest weight of each filter."
    )
    return image_grid(images, COLUMNS, title, line)

"""The components that every variant is constructed from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, final

from torch.nn import Parameter
from torch.optim import Optimizer

from latentlab.functional.distributions import Likelihood
from latentlab.functional.schedules import RateSchedule
from latentlab.models.nets.base import Decoder, Encoder

Measurement = Callable[..., Iterator[tuple[str, float]]]


@final
@dataclass(frozen=True, kw_only=True)
class Parts:
    """The networks, the likelihood, the optimizer and its options.

    image_shape: (C, H, W).
    num_classes: of the labels; 0 where the data has none.
    accumulate: batches whose gradients are averaged for one optimizer step.
    clip: upper bound of the gradient's norm, or of the absolute value of each component; None: no bound.
    log_every_n_steps: steps between two points of the training curves; 0: one point per epoch.
    """

    encoder: Encoder
    decoder: Decoder
    likelihood: Likelihood
    optimizer: Callable[[Iterable[Parameter]], Optimizer]
    rate: RateSchedule
    image_shape: tuple[int, int, int]
    num_classes: int
    accumulate: int = 1
    clip: float | None = None
    clip_by: Literal["norm", "value"] = "norm"
    log_every_n_steps: int = 50

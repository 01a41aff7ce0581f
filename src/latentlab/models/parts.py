"""What every variant is handed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from torch.nn import Parameter
from torch.optim import Optimizer

from latentlab.distributions import Likelihood
from latentlab.nets.base import Decoder, Encoder
from latentlab.schedules import RateSchedule

Measurement = Callable[..., Iterator[tuple[str, float]]]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The networks, the likelihood and the rule by which they are trained.

    image_shape: (C, H, W).
    num_classes: of the labels; 0 where the data has none.
    """

    encoder: Encoder
    decoder: Decoder
    likelihood: Likelihood
    optimizer: Callable[[Iterable[Parameter]], Optimizer]
    rate: RateSchedule
    image_shape: tuple[int, int, int]
    num_classes: int

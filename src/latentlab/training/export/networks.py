"""The two networks that are exported, with everything around them: from images to codes, from codes to images."""

from copy import deepcopy
from typing import final

from torch import Tensor, nn

from latentlab.functional.batch import Code, Image, Label
from latentlab.models.base import Autoencoder


@final
class ExportedEncoder(nn.Module):
    """Images, and for a conditional model their labels -> codes; where there is a posterior, its mean and log_var."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = deepcopy(model)
        del self.model.decoder  # else its weights would be exported too

    def forward(self, x: Image, y: Label | None = None) -> Code | tuple[Code, Code]:
        encoding = self.model.encode(x) if y is None else self.model.encode_batch(x, y)
        return encoding.z if encoding.posterior is None else (encoding.posterior.mean, encoding.posterior.log_var)


@final
class ExportedDecoder(nn.Module):
    """Codes, and for a conditional model the labels to decode them with -> expected images."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = deepcopy(model)
        del self.model.encoder

    def forward(self, z: Code, y: Label | None = None) -> Image:
        return self.model.likelihood.mean(self.model.decode_parameters(z, y))


def outputs_of(network: nn.Module, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """What a network returns, as a list."""
    found = network(*inputs)
    return [found] if isinstance(found, Tensor) else list(found)

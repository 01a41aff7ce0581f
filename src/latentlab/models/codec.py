"""What every variant can be asked for: codes, images of codes, samples, and the paths between two images."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, final

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule
from torch import Tensor

from latentlab.functional.batch import NO_LABEL, AnyLabel, Code, Condition, Image, Label
from latentlab.functional.densities import Density
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.numbers import whole_number
from latentlab.functional.paths import linear, spherical
from latentlab.functional.plain_batches import described
from latentlab.models.parts import Parts


@final
class Encoding(NamedTuple):
    """A code and the posterior it comes from.

    z: the code, (B, D); the posterior's mean where there is one.
    posterior: q(z|x), or None for a variant whose encoder gives a point.
    raw: what the code is the activation of, (B, D), for a variant with an activation of its own.
    """

    z: Code
    posterior: DiagonalGaussian | None = None
    raw: Code | None = None


@final
class Prediction(NamedTuple):
    """What `Trainer.predict` returns for a batch.

    z: the code of each image, (B, D); the posterior's mean where there is one.
    x_hat: the expected image of each code, (B, C, H, W), as `reconstruct` gives it.
    """

    z: Code
    x_hat: Image


class Codec(LightningModule, ABC):
    """An encoder, a decoder and the likelihood of the decoder's parameters.

    Labels y are a tensor, (B,), or one number for all images; only a conditional variant reads them. Images and codes
    may be of any float type: the networks get them in the type of the model's weights, and return float32 or wider.

    parameters_per_latent: what the encoder returns for each latent unit: 1 for a point, 2 for mean and log_var.
    conditional: whether the networks are conditioned on the label.
    """

    parameters_per_latent: ClassVar[int] = 1
    conditional: ClassVar[bool] = False

    def __init__(self, parts: Parts, latent_dim: int) -> None:
        super().__init__()
        self.encoder, self.decoder, self.likelihood = parts.encoder, parts.decoder, parts.likelihood
        self.decoder.tie_to(self.encoder)
        self.image_shape = parts.image_shape
        self.num_classes = parts.num_classes
        self.latent_dim = latent_dim

    @abstractmethod
    def encode(self, x: Image, y: AnyLabel = None) -> Encoding:
        """The code of each image, with its posterior where the variant has one.

        Raises:
            ValueError: the images have another shape than the model's, or are no floats, or the variant is
                conditional, and labels are missing or no classes.
        """

    def encode_batch(self, x: Image, y: Label) -> Encoding:
        """As `encode`, of labels that were looked at before: a GPU would have to be waited for at each step."""
        return self.encode(x, y)

    @final
    def features(self, x: Image, condition: Condition = None) -> Float[Tensor, "b features"]:
        """What the encoder returns.

        Raises:
            ValueError: the images have another shape than the model's, or are no floats.
        """
        self._refuse_other_images(x)
        return self.encoder(x.to(self.dtype), condition)

    def decode_parameters(self, z: Code, y: AnyLabel = None) -> Image:
        """The parameters of p(x|z) for each code, such as a Bernoulli likelihood's logits, (B, C, H, W).

        A tensor of labels is not looked at.
        """
        return self.decoder(z.to(self.dtype))

    def prior(self, y: Label) -> Density | None:
        """p(z) or p(z|y) of B rows, such as a `DiagonalGaussian` (B, D); None for a variant without one.

        Raises:
            ValueError: the variant is conditional, and the labels are no classes.
        """
        return None

    @final
    def decode(self, z: Code, y: AnyLabel = None) -> Image:
        """The expected image of each code, (B, C, H, W), in [0, 1] for a Bernoulli likelihood.

        Raises:
            ValueError: the codes have another size than the model's, or it is conditional, and labels are missing.
        """
        self._refuse_other_codes(z)
        return self.likelihood.mean(self.decode_parameters(z, self.known_labels(y, z)))

    @final
    def reconstruct(self, x: Image, y: AnyLabel = None) -> Image:
        """The expected image of each image's code (the posterior's mean, not a draw).

        Raises:
            ValueError: see `encode`.
        """
        self._refuse_other_images(x)
        labels = self.known_labels(y, x)
        return self.likelihood.mean(self.decode_parameters(self.encode_batch(x, labels).z, labels))

    @final
    @torch.no_grad()
    def sample(self, count: int, label: AnyLabel = None) -> Image:
        """The expected images of `count` codes that are drawn from the prior by torch's global generator.

        Raises:
            ValueError: `count` is below 1, or the variant has no prior, or it is conditional, and the label is missing
                or unknown.
        """
        number = whole_number(count)
        if number is None or number < 1:
            raise ValueError(f"count: expected a whole number of at least 1, found {count!r}")
        y = self.known_labels(label, torch.empty(number, device=self.device))
        prior = self.prior(y)
        if prior is None:
            raise ValueError(
                f"{type(self).__name__} has no prior to draw codes from; decode codes of your own, as by "
                f"model.decode(torch.randn({count}, {self.latent_dim}))"
            )
        return self.decode(prior.draw(), y)

    @final
    @torch.no_grad()
    def interpolate(
        self,
        x_a: Float[Tensor, "*b c h w"],
        x_b: Float[Tensor, "*b c h w"],
        steps: int = 9,
        y: AnyLabel = None,
        path: str = "linear",
    ) -> Float[Tensor, "*b k c h w"]:
        """The expected images at even steps from the code of `x_a` to that of `x_b`, both included.

        steps: k. path: "linear", or "spherical" (Shoemake 1985).

        Raises:
            ValueError: fewer than two steps, another path, images of another shape, or labels that are missing.
        """
        paths = {"linear": linear, "spherical": spherical}
        if steps < 2 or path not in paths:
            expected = "steps: expected at least 2" if steps < 2 else f"path: expected {' or '.join(paths)}"
            raise ValueError(f"{expected}, found {steps if steps < 2 else path}")
        if x_a.shape != x_b.shape:
            raise ValueError(f"x_b: expected the shape of x_a, {tuple(x_a.shape)}, found {tuple(x_b.shape)}")
        one, other = (x.reshape(-1, *x.shape[-3:]) for x in (x_a, x_b))
        self._refuse_other_images(one)
        labels = self.known_labels(y, one)
        codes, others = self.encode_batch(one, labels).z, self.encode_batch(other, labels).z
        fraction = torch.linspace(0, 1, steps, device=one.device, dtype=codes.dtype).unsqueeze(1)
        pairs = zip(codes, others, strict=True)
        z = torch.cat([paths[path](a, b, fraction) for a, b in pairs])
        images = self.decode(z, labels.repeat_interleave(steps))
        return images.reshape(*x_a.shape[:-3], steps, *x_a.shape[-3:])

    @final
    def labels(self, y: AnyLabel, of: Tensor) -> Label:
        """Labels of images or codes `of`, whose first axis is the batch, int64, (B,); a tensor is not looked at.

        Raises:
            ValueError: the variant is conditional, and they are missing, or the one number is no class.
        """
        if isinstance(y, Tensor):
            return y
        if self.conditional and (y is None or isinstance(y, bool) or not 0 <= y < self.num_classes):
            raise self._wrong_label("none" if y is None else y)
        return torch.full(of.shape[:1], NO_LABEL if y is None else y, device=self.device)

    @final
    def known_labels(self, y: AnyLabel, of: Tensor) -> Label:
        """As `labels`, and a tensor is looked at, for which a GPU has to be waited for.

        Raises:
            ValueError: the variant is conditional, and the labels are missing or no classes.
        """
        if not isinstance(y, Tensor | int | None):
            y = torch.as_tensor(y)
            y = y.item() if y.ndim == 0 and not y.is_floating_point() else y  # one number, as NumPy has it
        labels = self.labels(y, of)
        if self.conditional and isinstance(y, Tensor):
            if y.is_floating_point() or y.dtype == torch.bool or y.shape != (len(of),):
                raise self._wrong_label(described(y))
            if bool(((y < 0) | (y >= self.num_classes)).any()):
                raise self._wrong_label(f"{int(y.min())} to {int(y.max())}")
        return labels

    def _refuse_other_images(self, x: Tensor) -> None:
        if not isinstance(x, Tensor):
            raise ValueError(f"x: expected a tensor of images, found {described(x)}; torch.as_tensor makes one")
        if tuple(x.shape[1:]) != self.image_shape:
            expected = ", ".join(map(str, self.image_shape))
            raise ValueError(f"x: expected a batch of images, (B, {expected}), found {tuple(x.shape)}")
        if not x.is_floating_point():
            raise ValueError(f"x: expected images of floats in [0, 1], found {x.dtype}; bytes are divided by 255")

    def _refuse_other_codes(self, z: Tensor) -> None:
        if not isinstance(z, Tensor):
            raise ValueError(f"z: expected a tensor of codes, found {described(z)}; torch.as_tensor makes one")
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(f"z: expected a batch of codes, (B, {self.latent_dim}), found {tuple(z.shape)}")

    def _wrong_label(self, found: object) -> ValueError:
        expected = f"a label in 0..{self.num_classes - 1} for each image, as {type(self).__name__} is conditional"
        return ValueError(f"label: expected {expected}, found {found}")

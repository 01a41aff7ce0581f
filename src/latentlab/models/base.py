"""The base class of every variant: training and evaluation steps, logging and the optimizer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, final

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from latentlab.functional.batch import Batch, Call, Code, Image, Label, PerImage, batches_of
from latentlab.functional.distributed import is_shared
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.losses import bce_per_image, mse_per_image, weighted_sum
from latentlab.functional.schedules import FINAL_STEP, ConstantRate
from latentlab.models.optimization import Steps, lightning_steps, minimize
from latentlab.models.parts import Measurement, Parts
from latentlab.models.running_means import WINDOW, RunningMeans

Terms = dict[str, PerImage]


class Encoding(NamedTuple):
    """A code and the posterior it comes from.

    z: the code, (B, D); the posterior's mean where there is one.
    posterior: q(z|x), or None for a variant whose encoder gives a point.
    raw: what the code is the activation of, (B, D), for a variant with an activation of its own.
    """

    z: Code
    posterior: DiagonalGaussian | None = None
    raw: Code | None = None


class Autoencoder(LightningModule, ABC):
    """Trains the weighted sum of a variant's terms and reports the metrics that all variants share.

    A variant defines `encode`; the other methods have defaults. `terms` is a pure function of parameters, batch and the
    batch's random source, so that `torch.func.vmap` can be applied to it over stacked parameters.

    parameters_per_latent: what the encoder returns for each latent unit: 1 for a point, 2 for mean and log_var.
    conditional: whether the networks are conditioned on the label.
    batch_terms: names of the terms whose value for an image depends on the other images of the batch.
    """

    parameters_per_latent: ClassVar[int] = 1
    conditional: ClassVar[bool] = False
    batch_terms: frozenset[str] = frozenset()

    def __init__(self, parts: Parts, latent_dim: int, measurements: Sequence[Measurement] = ()) -> None:
        super().__init__()
        self.encoder, self.decoder, self.likelihood = parts.encoder, parts.decoder, parts.likelihood
        self.decoder.tie_to(self.encoder)
        self.parts = parts
        self.latent_dim = latent_dim
        self.num_classes = parts.num_classes
        self.measurements = tuple(measurements)
        self.total_steps = 1  # optimizer steps of the whole training, set before it, for the learning rate schedule
        self.steps_of: Callable[[LightningModule], Steps] = lightning_steps
        self.automatic_optimization = False
        self.running = {stage: RunningMeans(stage) for stage in ("val", "test")}
        self.running["train"] = RunningMeans("train", parts.log_every_n_steps or WINDOW)

    @abstractmethod
    def encode(self, x: Image, y: Label) -> Encoding:
        """The code of each image, with its posterior where the variant has one."""

    def terms(self, batch: Batch, encoding: Encoding) -> Terms:
        """The terms of the objective, one value per image, summed over its pixels or latents, in nats.

        encoding: of the batch's images as `corrupt` leaves them.
        """
        return {"reconstruction": self.reconstruction(batch, encoding.z)}

    def weights(self, step: int) -> dict[str, float]:
        """The weight of each term at an optimizer step; at `FINAL_STEP`, with the final value of every schedule."""
        return {"reconstruction": 1.0}

    def decode(self, z: Code, y: Label) -> Image:
        """The likelihood's parameters for each code, (B, C, H, W)."""
        return self.decoder(z)

    def prior(self, y: Label) -> DiagonalGaussian | None:
        """p(z) or p(z|y), mean and log_var (B, D); None for a variant without one."""
        return None

    def corrupt(self, batch: Batch) -> Image:
        """The encoder's input, (B, C, H, W); `batch.x` itself where nothing is corrupted."""
        return batch.x

    def forward(self, batch: Batch) -> Terms:
        return self.terms(batch, self.encode(self.corrupt(batch), batch.y))

    @final
    def reconstruction(self, batch: Batch, z: Code) -> PerImage:
        """-log p(x|z) of each image in nats, (B,)."""
        return -self.likelihood.log_prob(batch.x, self.decode(z, batch.y))

    @final
    def generate(self, z: Code, y: Label) -> Image:
        """The expected image of each code."""
        return self.likelihood.mean(self.decode(z, y))

    @final
    def reconstruct(self, x: Image, y: Label) -> Image:
        """The expected image of each image's code (the posterior's mean, not a draw)."""
        return self.generate(self.encode(x, y).z, y)

    @final
    def training_step(self, call: Call, batch_idx: int) -> None:
        """Train on the batches of one call; the result does not depend on the grouping of batches into calls."""
        minimize(self, batches_of(call), self._loss, self.parts.accumulate, self.steps_of(self))

    @final
    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        if self.parts.clip is not None:
            self.clip_gradients(optimizer, self.parts.clip, self.parts.clip_by)

    @final
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "val")

    @final
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "test")

    @final
    def on_train_epoch_end(self) -> None:
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        self._report("train", {**self.running["train"].finish(), "lr": rate})

    @final
    def on_validation_epoch_start(self) -> None:
        self.running["train"].flush()  # reports a NaN of training before validation does

    @final
    def on_validation_epoch_end(self) -> None:
        self._report_with_measurements("val", self.trainer.val_dataloaders)

    @final
    def on_test_epoch_end(self) -> None:
        self._report_with_measurements("test", self.trainer.test_dataloaders)

    @final
    def configure_optimizers(self) -> Any:
        optimizer = self.parts.optimizer(self.parameters())
        if isinstance(self.parts.rate, ConstantRate):
            return optimizer
        rate, total = self.parts.rate, self.total_steps
        schedule = LambdaLR(optimizer, lambda step: rate(step, total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    @final
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["data"] = {"image_shape": list(self.parts.image_shape), "num_classes": self.num_classes}
        checkpoint["train_means"] = self.running["train"].state_dict()

    @final
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.running["train"].load_state_dict(checkpoint["train_means"])

    def _loss(self, batch: Batch) -> Tensor:
        """The objective's mean over the batch, to be minimised; also adds its terms to the running means."""
        terms = self(batch)
        sums = torch.stack([*terms.values()]).sum(1)
        total = weighted_sum([*terms], sums, self.weights(self.global_step))
        names = ("objective", *terms)
        recent = self.running["train"].add_sums(names, (total, sums), len(batch.x), self.global_step)
        if recent is not None and self.parts.log_every_n_steps:
            self._report_recent(recent)
        # DDP averages the gradients over the devices, whose numbers of images may differ by one
        devices = self.trainer.world_size if is_shared() else 1
        return total * (devices / (batch.size * self.parts.accumulate))

    def _evaluate(self, batch: Batch, stage: str) -> None:
        seen = self.corrupt(batch)
        encoding = self.encode(seen, batch.y)
        terms = self.terms(batch, encoding)
        clean = encoding if seen is batch.x else self.encode(batch.x, batch.y)
        values, steps = torch.stack([*terms.values()]), (self.global_step, FINAL_STEP)
        objective, final = (weighted_sum([*terms], values, self.weights(step)) for step in steps)
        metrics = {"objective": objective, "objective_final": final, **terms}
        metrics |= self._shared_metrics(batch, terms, self.generate(clean.z, batch.y))
        self.running[stage].add(metrics, self.global_step)

    def _shared_metrics(self, batch: Batch, terms: Terms, x_hat: Image) -> Terms:
        metrics = {"mse": mse_per_image(batch.x, x_hat), "bce": bce_per_image(batch.x, x_hat)}
        if "kl" in terms:
            metrics["elbo"] = -(terms["reconstruction"] + terms["kl"])
        return metrics

    def _report_with_measurements(self, stage: str, loader: Any) -> None:
        metrics = self.running[stage].finish()
        for measure in self.measurements:
            metrics |= dict(measure(self, loader))
        self._report(stage, metrics)

    def _report(self, stage: str, metrics: dict[str, float]) -> None:
        named = {f"{stage}/{name}": value for name, value in metrics.items()}
        # the metrics are equal on all devices, so their mean over the devices does not change them
        self.log_dict(named, logger=False, sync_dist=is_shared())
        if not self.trainer.sanity_checking:
            self._log({**named, "epoch": float(self.current_epoch)}, self.global_step)
            for logger in self.loggers:
                logger.save()

    def _report_recent(self, metrics: dict[str, float]) -> None:
        self._log({f"train/{name}_step": value for name, value in metrics.items()}, self.global_step + 1)

    def _log(self, metrics: dict[str, float], step: int) -> None:
        """To the loggers at an optimizer step: Lightning would count calls of the training step."""
        for logger in self.loggers:
            logger.log_metrics(metrics, step)


def one_hot(y: Label, classes: int) -> Float[Tensor, "b k"]:
    """Labels as float indicator vectors, (B, K)."""
    return (y.unsqueeze(1) == torch.arange(classes, device=y.device)).to(torch.get_default_dtype())

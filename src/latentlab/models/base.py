"""The base class of every variant: training and evaluation steps, logging and the optimizer."""

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeVar, final

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from latentlab.functional.batch import Batch, Code, Image, PerImage, batches_of
from latentlab.functional.distributed import is_shared, number_of_devices
from latentlab.functional.losses import bce_per_image, mse_per_image, stacked, weighted_sum
from latentlab.functional.plain_batches import as_batch, described, refuse_unfit
from latentlab.functional.schedules import FINAL_STEP, ConstantRate
from latentlab.models.batches import Batches
from latentlab.models.checkpoint_file import Source, checked_content, checked_device
from latentlab.models.codec import Codec, Prediction
from latentlab.models.codec import Encoding as Encoding  # what a variant needs beside the base class
from latentlab.models.optimization import Steps, advance_schedules, minimize
from latentlab.models.parts import Measurement, Parts
from latentlab.models.running_means import WINDOW, RunningMeans

Terms = dict[str, PerImage]
Model = TypeVar("Model", bound="Autoencoder")


class Autoencoder(Codec):
    """Trains the weighted sum of a variant's terms and reports the metrics that all variants share.

    A variant defines `encode`; the other methods have defaults. `terms` is a pure function of parameters, batch and the
    batch's random source, so that `torch.func.vmap` can be applied to it over stacked parameters.

    Lightning's Trainer trains it with the batches of any DataLoader, see `as_batch`; a run trains several batches in
    one call, see `train_in_calls`.

    latent_dim: number of latent units.
    measurements: further metrics of each validation and test, such as sparsity.
    batch_terms: names of the terms whose value for an image depends on the other images of the batch.
    """

    batch_terms: frozenset[str] = frozenset()

    def __init__(self, parts: Parts, latent_dim: int, measurements: Sequence[Measurement] = ()) -> None:
        super().__init__(parts, latent_dim)
        self.parts = parts
        self.measurements = tuple(measurements)
        self.total_steps: int | None = None  # optimizer steps of the whole training; None: as the trainer counts them
        self._steps_of: Callable[[LightningModule], Steps] | None = None
        self.running = {stage: RunningMeans(stage) for stage in ("val", "test")}
        self.running["train"] = RunningMeans("train", parts.log_every_n_steps or WINDOW)

    def terms(self, batch: Batch, encoding: Encoding) -> Terms:
        """The terms of the objective, one value per image, summed over its pixels or latents, in nats.

        encoding: of the batch's images as `corrupt` leaves them.
        """
        return {"reconstruction": self.reconstruction(batch, encoding.z)}

    def weights(self, step: int) -> dict[str, float]:
        """The weight of each term at an optimizer step; at `FINAL_STEP`, with the final value of every schedule."""
        return {"reconstruction": 1.0}

    def corrupt(self, batch: Batch) -> Image:
        """The encoder's input, (B, C, H, W); `batch.x` itself where nothing is corrupted."""
        return batch.x

    def forward(self, batch: Any) -> Terms:
        """The terms of the objective of a step's `Batch`; images and codes are for `encode`, `reconstruct`, `decode`.

        Raises:
            ValueError: it is no `Batch`.
        """
        if not isinstance(batch, Batch):
            expected = (
                "a Batch of a step; for images model.reconstruct(x) or model.encode(x), for codes model.decode(z)"
            )
            raise ValueError(f"forward: expected {expected}, found {described(batch)}")
        return self.terms(batch, self.encode_batch(self.corrupt(batch), batch.y))

    @final
    def reconstruction(self, batch: Batch, z: Code) -> PerImage:
        """-log p(x|z) of each image in nats, (B,)."""
        return -self.likelihood.log_prob(batch.x, self.decode_parameters(z, batch.y))

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]  # nothing of a model can be exchanged while it is loaded
        cls: type[Model], checkpoint_path: Source, *, map_location: torch.device | str = "cpu", strict: bool = True
    ) -> Model:
        """The model of a checkpoint, which is rebuilt from the config in it; nothing else is needed.

        map_location: the model's device. strict: whether the checkpoint must hold exactly its weights.

        Raises:
            ValueError: it is damaged, holds another variant or weights that are NaN, or was saved by no model that
                `ll.build` or a run built; or `map_location` is no device.
            UserError: its config names a class that is no component of a model.
        """
        device = checked_device(map_location)
        content = checked_content(checkpoint_path)
        built = content.get(cls.CHECKPOINT_HYPER_PARAMS_KEY) or {}
        # as in the checkpoints of Lightning's command line, it names what builds the model: nothing here may import it
        builder = str(built.get("builder"))
        if not builder.startswith("latentlab."):
            raise ValueError(f"{checkpoint_path}: expected a model that latentlab has built, found another checkpoint")
        with torch.random.fork_rng(devices=[]):  # the weights that it draws are replaced
            model = import_module(builder).rebuilt(built, checkpoint_path, cls)
        if not isinstance(model, cls):
            raise ValueError(f"{checkpoint_path}: expected {cls.__name__}, found {type(model).__name__}")
        model.load_state_dict(content["state_dict"], strict=strict)
        return model.to(device)

    @final
    def train_in_calls(self, steps_of: Callable[[LightningModule], Steps], total_steps: int) -> None:
        """From now on, each call of the training step trains on all batches that it is given.

        steps_of: how the optimizer steps of a call are made. total_steps: of the whole training.
        """
        self._steps_of, self.total_steps = steps_of, total_steps
        self.automatic_optimization = False

    @final
    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """The batch itself; that of a plain DataLoader is looked at here, where no GPU has to be waited for.

        Raises:
            ValueError: it is no batch as `as_batch` reads it, or does not fit the model.
        """
        if self._steps_of is None and not isinstance(batch, Batch):
            refuse_unfit(as_batch(batch), self.image_shape, self.num_classes if self.conditional else 0)
        return batch

    @final
    def training_step(self, call: Any, batch_idx: int) -> Tensor | None:
        """The loss of a batch; or, after `train_in_calls`, the training on the batches of one call.

        The result does not depend on the grouping of batches into calls.
        call: a `Call`, or a batch as `as_batch` reads it.
        """
        if self._steps_of is None:
            return self._loss(as_batch(call))
        minimize(self, batches_of(call), self._loss, self.parts.accumulate, self._steps_of(self))
        return None

    @final
    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        if self.parts.clip is not None:
            self.clip_gradients(optimizer, self.parts.clip, self.parts.clip_by)

    @final
    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(as_batch(batch), "val")

    @final
    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(as_batch(batch), "test")

    @final
    def predict_step(self, batch: Any, batch_idx: int) -> Prediction:
        """Of a batch as `as_batch` reads it."""
        seen = as_batch(batch)
        z = self.encode_batch(seen.x, seen.y).z
        return Prediction(z, self.likelihood.mean(self.decode_parameters(z, seen.y)))

    @final
    def on_train_epoch_end(self) -> None:
        if self._steps_of is not None:  # else Lightning does so itself
            advance_schedules(self, "epoch")
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        if self.running["train"].has_values:  # with max_steps, Lightning resumes at the end of an epoch
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
        length = self.total_steps or self.trainer.estimated_stepping_batches
        if not 0 < length < math.inf:  # -1 for a loader without a length
            raise ValueError("scheduler: expected a training of known length; set max_epochs or max_steps")
        rate, total = self.parts.rate, int(length)
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
        sums = stacked(terms, len(batch.x)).sum(1)
        total = weighted_sum([*terms], sums, self.weights(self.global_step))
        names = ("objective", *terms)
        recent = self.running["train"].add_sums(names, (total, sums), len(batch.x), self.global_step)
        if recent is not None and self.parts.log_every_n_steps:
            self._log({f"train/{name}_step": value for name, value in recent.items()}, self.global_step + 1)
        # DDP averages the gradients over the devices, whose numbers of images may differ by one
        return total * (number_of_devices() / (batch.size * self.parts.accumulate))

    def _evaluate(self, batch: Batch, stage: str) -> None:
        seen = self.corrupt(batch)
        encoding = self.encode_batch(seen, batch.y)
        terms = self.terms(batch, encoding)
        clean = encoding if seen is batch.x else self.encode_batch(batch.x, batch.y)
        values, steps = stacked(terms, len(batch.x)), (self.global_step, FINAL_STEP)
        objective, final = (weighted_sum([*terms], values, self.weights(step)) for step in steps)
        metrics = {"objective": objective, "objective_final": final, **terms}
        x_hat = self.likelihood.mean(self.decode_parameters(clean.z, batch.y))
        metrics |= self._shared_metrics(batch, terms, x_hat)
        self.running[stage].add(metrics, self.global_step)

    def _shared_metrics(self, batch: Batch, terms: Terms, x_hat: Image) -> Terms:
        metrics = {"mse": mse_per_image(batch.x, x_hat), "bce": bce_per_image(batch.x, x_hat)}
        if "kl" in terms:
            metrics["elbo"] = -(terms["reconstruction"] + terms["kl"])
        return metrics

    def _report_with_measurements(self, stage: str, loader: Any) -> None:
        metrics = self.running[stage].finish()
        for measure in self.measurements:
            metrics |= dict(measure(self, Batches(self, loader)))
        self._report(stage, metrics)

    def _report(self, stage: str, metrics: dict[str, float]) -> None:
        named = {f"{stage}/{name}": value for name, value in metrics.items()}
        in_calls = self._steps_of is not None  # which Lightning would count instead of steps
        # the metrics are equal on all devices, so their mean over the devices does not change them
        self.log_dict(named, logger=False if in_calls else None, sync_dist=is_shared())
        if in_calls and not self.trainer.sanity_checking:
            self._log({**named, "epoch": float(self.current_epoch)}, self.global_step)
            for logger in self.loggers:
                logger.save()

    def _log(self, metrics: dict[str, float], step: int) -> None:
        """To the loggers at an optimizer step: Lightning would count calls of the training step."""
        for logger in self.loggers:
            logger.log_metrics(metrics, step)

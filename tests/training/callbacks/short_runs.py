"""Real runs of a second or so on the bundled digits, for the tests of callbacks."""

from functools import partial

import torch
from lightning.pytorch import Callback, Trainer

from latentlab.data.digits import DigitsDataModule
from latentlab.functional.corruption import SaltAndPepper
from latentlab.functional.distributions import Bernoulli
from latentlab.functional.schedules import Constant, ConstantRate
from latentlab.models.ae import AE
from latentlab.models.base import Autoencoder
from latentlab.models.cvae import CVAE
from latentlab.models.denoising_ae import DenoisingAE
from latentlab.models.nets.mlp import MLPDecoder, MLPEncoder
from latentlab.models.parts import Parts
from latentlab.models.priors import StandardPrior
from latentlab.models.vae import VAE

VARIANTS = {
    "ae": AE,
    "denoising": partial(DenoisingAE, corruption=SaltAndPepper(p=0.3)),
    "vae": partial(VAE, beta=1.0, kl_schedule=Constant()),
    "cvae": partial(CVAE, beta=1.0, kl_schedule=Constant(), prior=StandardPrior),
}


def digits(labels: bool = True) -> DigitsDataModule:
    data = DigitsDataModule(image_size=8, labels=labels)
    data.setup()
    return data


def model_of(variant: str, data: DigitsDataModule, latent_dim: int = 4) -> Autoencoder:
    made = VARIANTS[variant]
    kind = made.func if isinstance(made, partial) else made
    condition = data.num_classes if kind.conditional else 0
    torch.manual_seed(0)
    features = kind.parameters_per_latent * latent_dim
    net = {"widths": [16], "activation": "relu"}
    parts = Parts(
        encoder=MLPEncoder(data.image_shape, features, condition, **net),
        decoder=MLPDecoder(latent_dim, data.image_shape, condition, **net),
        likelihood=Bernoulli(),
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        rate=ConstantRate(),
        image_shape=data.image_shape,
        num_classes=data.num_classes,
    )
    return made(parts=parts, latent_dim=latent_dim)


def trainer_with(folder, *callbacks: Callback, epochs: int = 1, logger=False) -> Trainer:
    return Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        default_root_dir=folder,
        callbacks=list(callbacks),
        logger=logger,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        limit_train_batches=3,
    )


def fit_and_test(folder, variant, *callbacks, epochs=1, logger=False, latent_dim=4, labels=True):
    """The trainer and the model of a run, which is over."""
    data = digits(labels)
    model = model_of(variant, data, latent_dim)
    trainer = trainer_with(folder, *callbacks, epochs=epochs, logger=logger)
    trainer.fit(model, datamodule=data)
    trainer.test(model, datamodule=data, verbose=False)
    return trainer, model

"""Small variants on small images, for tests of all variants."""

from collections.abc import Callable
from functools import partial

import torch

from latentlab.functional.batch import Batch
from latentlab.functional.batch_top_k import BatchTopK
from latentlab.functional.corruption import Gaussian as GaussianNoise
from latentlab.functional.distributions import Bernoulli
from latentlab.functional.jump_relu import JumpReLU
from latentlab.functional.penalties import L1, KLToTarget, TopK
from latentlab.functional.randomness import RandomSource, Share
from latentlab.functional.schedules import Constant, ConstantRate
from latentlab.models.ae import AE
from latentlab.models.base import Autoencoder
from latentlab.models.bounds import IWAE, DReG
from latentlab.models.cvae import CVAE
from latentlab.models.denoising_ae import DenoisingAE
from latentlab.models.flow_prior import FlowPrior
from latentlab.models.nets.cnn import CNNDecoder, CNNEncoder
from latentlab.models.nets.linear import LinearDecoder, LinearEncoder
from latentlab.models.nets.mlp import MLPDecoder, MLPEncoder
from latentlab.models.nets.resnet import ResNetDecoder, ResNetEncoder
from latentlab.models.nets.rnn import RNNDecoder, RNNEncoder
from latentlab.models.nets.tied import TiedDecoder
from latentlab.models.parts import Parts
from latentlab.models.priors import LabelPrior, MixturePrior, StandardPrior, VampPrior
from latentlab.models.sparse_ae import SparseAE
from latentlab.models.vae import VAE

SHAPE, CLASSES, LATENT_DIM = (1, 8, 8), 10, 4

NETS = {
    "linear": (LinearEncoder, LinearDecoder),
    "tied": (LinearEncoder, TiedDecoder),
    "mlp": (
        partial(MLPEncoder, widths=[16], activation="relu"),
        partial(MLPDecoder, widths=[16], activation="relu"),
    ),
    "cnn": (
        partial(CNNEncoder, widths=[4, 8], activation="silu"),
        partial(CNNDecoder, widths=[4, 8], activation="silu"),
    ),
    "resnet": (
        partial(ResNetEncoder, widths=[4, 8], blocks=1, activation="silu"),
        partial(ResNetDecoder, widths=[4, 8], blocks=1, activation="silu"),
    ),
    "rnn": (
        partial(RNNEncoder, widths=[8], activation="tanh"),
        partial(RNNDecoder, widths=[8], activation="tanh"),
    ),
}

VARIANTS = {
    "ae": AE,
    "sparse_l1": partial(SparseAE, penalty=L1(weight=0.1, active_above=0.0)),
    "sparse_kl": partial(SparseAE, penalty=KLToTarget(weight=1.0, rho=0.05, active_above=0.5)),
    "sparse_topk": partial(SparseAE, penalty=TopK(weight=1.0, k=2, active_above=0.0)),
    "sparse_auxiliary": partial(SparseAE, penalty=TopK(weight=1.0, k=2, active_above=0.0, auxiliary=1 / 32)),
    "sparse_batch_topk": partial(SparseAE, penalty=BatchTopK(weight=1.0, k=2, active_above=0.0)),
    "sparse_jumprelu": partial(SparseAE, penalty=JumpReLU(1.0, threshold=0.1, bandwidth=0.1, active_above=0.0)),
    "denoising": partial(DenoisingAE, corruption=GaussianNoise(sigma=0.3)),
    "vae": partial(VAE, beta=1.0, kl_schedule=Constant(), free_bits=0.1),
    "cvae": partial(CVAE, beta=1.0, kl_schedule=Constant(), prior=StandardPrior, free_bits=0.1),
    "cvae_label_prior": partial(CVAE, beta=1.0, kl_schedule=Constant(), prior=LabelPrior),
    "vae_mixture": partial(VAE, beta=1.0, kl_schedule=Constant(), prior=partial(MixturePrior, components=3)),
    "vae_vampprior": partial(VAE, beta=1.0, kl_schedule=Constant(), prior=partial(VampPrior, pseudo_inputs=3)),
    "vae_flow": partial(VAE, beta=1.0, kl_schedule=Constant(), prior=partial(FlowPrior, layers=2, width=8)),
    "cvae_flow": partial(CVAE, beta=1.0, kl_schedule=Constant(), prior=partial(FlowPrior, layers=2, width=8)),
    "vae_iwae": partial(VAE, beta=1.0, kl_schedule=Constant(), bound=IWAE(samples=3, gradient_samples=3)),
    "vae_vampprior_dreg": partial(
        VAE,
        beta=1.0,
        kl_schedule=Constant(),
        prior=partial(VampPrior, pseudo_inputs=3),
        bound=DReG(3, gradient_samples=3),
    ),
    "cvae_dreg": partial(
        CVAE, beta=1.0, kl_schedule=Constant(), prior=LabelPrior, bound=DReG(samples=5, gradient_samples=2)
    ),
}


def build(
    variant: str | Callable[..., Autoencoder], net: str = "mlp", seed: int = 0, num_classes: int = CLASSES
) -> Autoencoder:
    """A variant, one of `VARIANTS` by its name or any other, with freshly drawn weights."""
    torch.manual_seed(seed)
    make = VARIANTS[variant] if isinstance(variant, str) else variant
    kind = make.func if isinstance(make, partial) else make
    condition = num_classes if kind.conditional else 0
    encoder = NETS[net][0](SHAPE, kind.parameters_per_latent * LATENT_DIM, condition)
    decoder = NETS[net][1](LATENT_DIM, SHAPE, condition)
    parts = Parts(
        encoder=encoder,
        decoder=decoder,
        likelihood=Bernoulli(),
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        rate=ConstantRate(),
        image_shape=SHAPE,
        num_classes=num_classes,
    )
    return make(parts=parts, latent_dim=LATENT_DIM)


def images(rows: int = 6, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(rows, *SHAPE, generator=generator), torch.arange(rows) % CLASSES


def batch(rows: int = 6, seed: int = 0) -> Batch:
    x, y = images(rows, seed)
    return Batch(x, y, rows, RandomSource(seed))


def share(rows: int, rank: int, world_size: int, seed: int = 0) -> Batch:
    """The rows of `batch(rows, seed)` on one of several devices."""
    x, y = images(rows, seed)
    source = RandomSource(seed, share=Share(rows, rank, world_size))
    return Batch(x[rank::world_size], y[rank::world_size], rows, source)

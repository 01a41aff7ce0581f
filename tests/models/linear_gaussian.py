"""A model whose likelihood is known in closed form: linear networks and Gaussian pixels."""

from functools import partial

import torch

from latentlab.functional.batch import Batch
from latentlab.functional.distributions import Gaussian
from latentlab.functional.randomness import RandomSource
from latentlab.functional.schedules import Constant, ConstantRate
from latentlab.models.bounds import ONE_DRAW, Bound
from latentlab.models.nets.linear import LinearDecoder, LinearEncoder
from latentlab.models.parts import Parts
from latentlab.models.vae import VAE

SHAPE, SIGMA = (1, 2, 2), 0.5
W = torch.tensor([[1.0, 0.0], [0.5, 0.0], [0.0, 0.8], [0.0, -0.6]])  # orthogonal columns: a diagonal posterior
B = torch.tensor([0.1, 0.2, 0.3, 0.4])


def linear_gaussian(wrong_by: float = 0.0, bound: Bound = ONE_DRAW) -> VAE:
    """x = W z + b + noise, with the exact posterior, or one whose mean and log-variance are off by `wrong_by`."""
    parts = Parts(
        encoder=LinearEncoder(SHAPE, 4, 0),
        decoder=LinearDecoder(2, SHAPE, 0),
        likelihood=Gaussian(sigma=SIGMA),
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        rate=ConstantRate(),
        image_shape=SHAPE,
        num_classes=0,
    )
    model = VAE(parts=parts, latent_dim=2, beta=1.0, kl_schedule=Constant(), bound=bound)
    precision = 1 + W.square().sum(0) / SIGMA**2
    to_mean = (W / SIGMA**2 / precision).T
    with torch.no_grad():
        weight, bias = parts.encoder.parameters()
        weight.copy_(torch.cat((to_mean, torch.zeros(2, 4))))
        bias.copy_(torch.cat((-to_mean @ B, -precision.log())) + wrong_by)
        weight, bias = parts.decoder.parameters()
        weight.copy_(W)
        bias.copy_(B)
    return model.eval()


X = torch.rand(200, *SHAPE, generator=torch.Generator().manual_seed(1))


def batch_of(x, seed=0):
    """A batch of images without labels."""
    return Batch(x, torch.full((len(x),), -1), len(x), RandomSource(seed))


def exact():
    """log p(x) of `X`."""
    marginal = torch.distributions.MultivariateNormal(B, W @ W.T + SIGMA**2 * torch.eye(4))
    return marginal.log_prob(X.flatten(1))

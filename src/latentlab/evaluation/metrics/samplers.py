"""Samplers of codes: the prior, and densities fitted to the training codes."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits
from torch import Tensor

from latentlab.models.base import Autoencoder
from latentlab.models.codes import DECODED_AT_ONCE, Codes
from latentlab.models.priors import has_prior

COMPONENTS = 10
MAX_FITTED = {"full": 10_000, "diag": 5_000}  # codes that the mixture is fitted to, by the type of its covariances
MAX_FULL = 64  # units up to which its covariances are full
JITTER = 1e-6  # of the mean variance: a code may have constant units
SUMMED_AT_ONCE = 250  # codes, in float64

Drawn = tuple[Float[Tensor, "n d"], Int[Tensor, " n"]]
Sampler = Callable[[int, torch.Generator], Drawn]


def samplers(model: Autoencoder, codes: Codes) -> dict[str, Sampler]:
    """Samplers of (codes, labels) by name, the variant's own first; `codes` are those of the training images.

    prior: p(z), or p(z|y). gaussian: for a variant without a prior, with the mean and covariance of the codes.
    mixture: ten Gaussians fitted to the codes (Ghosh et al. 2020), or one Gaussian per label for a conditional model.

    The labels of a conditional model are uniform.
    """
    first = own_sampler(model, codes)
    mixture = _by_label(model, codes) if model.conditional else _mixture(model, codes.z, COMPONENTS)
    return dict((first, ("mixture", mixture)))


def own_sampler(model: Autoencoder, codes: Codes) -> tuple[str, Sampler]:
    """The variant's own by its name: the prior, or else a Gaussian with the codes' mean and covariance."""
    return ("prior", _prior(model)) if has_prior(model) else ("gaussian", _gaussian(model, codes.z))


@torch.no_grad()
def generate(model: Autoencoder, z: Float[Tensor, "n d"], y: Int[Tensor, " n"]) -> Float[Tensor, "n c h w"]:
    """The expected image of each code, decoded in chunks."""
    chunks = zip(z.split(DECODED_AT_ONCE), y.split(DECODED_AT_ONCE), strict=True)
    return torch.cat([model.decode(codes, labels) for codes, labels in chunks])


def uniform_labels(model: Autoencoder, count: int) -> Int[Tensor, " n"]:
    """Equally many labels of each class for a conditional model, zeros for others, which ignore them."""
    y = torch.arange(count, device=model.device)
    return y % model.num_classes if model.conditional else torch.zeros_like(y)


def _prior(model: Autoencoder) -> Sampler:
    @torch.no_grad()
    def draw(count: int, generator: torch.Generator) -> Drawn:
        y = uniform_labels(model, count)
        prior = model.prior(y)
        assert prior is not None
        return prior.draw(generator), y

    return draw


def _gaussian(model: Autoencoder, z: Float[Tensor, "n d"]) -> Sampler:
    mean, covariance = _moments(z)
    floor = JITTER * covariance.diagonal().mean().clamp_min(1e-12)
    root = torch.linalg.cholesky(covariance + floor * torch.eye(len(mean)).to(mean)).to(z)
    mean = mean.to(z)

    def draw(count: int, generator: torch.Generator) -> Drawn:
        return mean + _normal(model, count, generator).to(z) @ root.T, uniform_labels(model, count)

    return draw


def _moments(z: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " d"], Float[Tensor, "d d"]]:
    """Mean and covariance in float64, in chunks of the codes."""
    mean = torch.stack([chunk.double().sum(0) for chunk in z.split(SUMMED_AT_ONCE)]).sum(0) / len(z)
    products = torch.zeros(len(mean), len(mean)).to(mean)
    for chunk in z.split(SUMMED_AT_ONCE):
        centred = chunk.double() - mean
        products.addmm_(centred.T, centred)
    return mean, products / len(z)


def _by_label(model: Autoencoder, codes: Codes) -> Sampler:
    """One Gaussian per label; for a label with fewer than two codes the mixture of all codes."""
    own = [codes.z[codes.y == label] for label in range(model.num_classes)]
    of_label = [_mixture(model, z, 1) if len(z) > 1 else _mixture(model, codes.z, COMPONENTS) for z in own]

    def draw(count: int, generator: torch.Generator) -> Drawn:
        y = uniform_labels(model, count)
        z = torch.empty(count, model.latent_dim, device=model.device)
        for label in y.unique().tolist():
            rows = y == label
            z[rows], _ = of_label[label](int(rows.sum()), generator)
        return z, y

    return draw


def _mixture(model: Autoencoder, z: Float[Tensor, "n d"], components: int) -> Sampler:
    from sklearn.mixture import GaussianMixture  # takes a third of a second, which the page of `explore` would wait for

    covariances = "full" if z.shape[1] <= MAX_FULL else "diag"
    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(0))[: MAX_FITTED[covariances]].to(z.device)
    scale = float(z.var(0, correction=0).mean())
    fitted = GaussianMixture(
        min(components, len(order)), covariance_type=covariances, reg_covar=max(JITTER * scale, 1e-12), random_state=0
    )
    # with full covariances, products of small matrices take up to three times as long on two threads
    with threadpool_limits(1 if covariances == "full" else None, user_api="blas"):
        codes = z[order].double().cpu().numpy()
        fitted.fit(codes if len(codes) > 1 else codes.repeat(2, axis=0))  # scikit-learn takes no single one

    def draw(count: int, generator: torch.Generator) -> Drawn:
        # scikit-learn draws from its own random state, and orders the codes by component
        fitted.random_state = int(torch.randint(2**31, (), generator=generator))
        drawn, _ = fitted.sample(count)
        order = torch.randperm(count, generator=generator)
        return torch.from_numpy(drawn)[order].to(z), uniform_labels(model, count)

    return draw


def _normal(model: Autoencoder, count: int, generator: torch.Generator) -> Float[Tensor, "n d"]:
    return torch.randn(count, model.latent_dim, generator=generator).to(model.device)

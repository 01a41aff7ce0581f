"""The flow prior: an invertible map whose density is that of its draws, for each label."""

import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.func import functional_call, jacrev, stack_module_state, vmap

from latentlab.functional.densities import StandardGaussian
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.models.flow_prior import Flow, FlowPrior, kept_units
from tests.functional.test_distributions import is_mean_of, random
from tests.models.variants import SHAPE, build

UNITS, CLASSES, ROWS = 3, 2, 4
Y = torch.tensor([0, 1, 1, 0])
ENCODER = build("vae").encoder


def prior(units: int = UNITS, classes: int = CLASSES, seed: int = 0, initial: bool = False, **options) -> FlowPrior:
    """A flow in float64; unless `initial`, one that is far from the identity."""
    torch.manual_seed(seed)
    made = FlowPrior(units, classes, SHAPE, **({"layers": 4, "width": 8} | options)).double()
    for layer in made.layers if not initial else ():
        torch.nn.init.normal_(layer.head.weight, std=0.5)
        torch.nn.init.normal_(layer.head.bias, std=0.5)
    return made


def density(of: FlowPrior, y=Y) -> Flow:
    return of(y, ENCODER)


class LogProb(torch.nn.Module):
    """The density of a flow as one call, for functions of its parameters."""

    def __init__(self, of: FlowPrior) -> None:
        super().__init__()
        self.of = of

    def forward(self, z):
        return density(self.of).log_prob(z)


def to_codes(p: Flow, e):
    for layer in p.layers:
        e = layer(e, p.condition)
    return e


def test_it_starts_as_a_standard_normal():
    p, z = density(prior(initial=True)), random(ROWS, UNITS, seed=1)
    torch.testing.assert_close(p.log_prob(z), StandardGaussian(ROWS, UNITS, z.device).log_prob(z))


def test_its_density_is_that_of_the_base_over_the_volume_that_the_map_gives_it():
    """The Jacobian by automatic differentiation of the map that draws, which `log_prob` does not use."""
    e = random(ROWS, UNITS, seed=1)
    for row, y in enumerate(Y):
        p = density(prior(), y[None])
        jacobian = jacrev(lambda one, p=p: to_codes(p, one[None])[0])(e[row])
        base = -0.5 * (e[row].square() + math.log(2 * math.pi)).sum()
        found = p.log_prob(to_codes(p, e[row : row + 1]))
        torch.testing.assert_close(found, (base - torch.linalg.slogdet(jacobian).logabsdet)[None])


def test_each_label_has_a_density_of_its_own_that_integrates_to_1():
    side = torch.arange(-20, 20, 0.1, dtype=torch.float64)
    z = torch.cartesian_prod(side, side)
    with torch.no_grad():
        found = [density(prior(2), torch.full((len(z),), label)).log_prob(z).exp() for label in range(CLASSES)]
    for one in found:
        assert float(one.sum()) * 0.1**2 == pytest.approx(1, abs=1e-3)
    assert (found[0] - found[1]).abs().max() > 0.01


@pytest.mark.parametrize(("classes", "y"), [(CLASSES, 1), (0, -1)])
def test_draws_have_the_density(classes, y):
    """E p'(z) / p(z) over draws of p is 1 for any density p' that is nowhere much above p."""
    p = density(prior(classes=classes), torch.full((20_000,), y))
    z = p.draw(torch.Generator().manual_seed(0))
    narrow = DiagonalGaussian(to_codes(p, torch.zeros(20_000, UNITS)), torch.full((UNITS,), -4.0))
    assert is_mean_of((narrow.log_prob(z) - p.log_prob(z)).exp(), torch.tensor(1.0, dtype=torch.float64))


def test_draws_are_those_of_the_generator_or_torchs_own():
    p = density(prior())
    torch.manual_seed(5)
    assert torch.equal(p.draw(), p.draw(torch.Generator().manual_seed(5)))


def test_several_codes_per_row():
    p, z = density(prior()), random(6, ROWS, UNITS, seed=3)
    torch.testing.assert_close(p.log_prob(z), torch.stack([p.log_prob(one) for one in z]))


def test_gradients_are_right():
    made = LogProb(prior(layers=2, width=2))
    weights = {name: value.detach().requires_grad_() for name, value in made.named_parameters()}
    z = random(ROWS, UNITS, seed=3).requires_grad_()

    def log_prob(z, *values):
        return functional_call(made, dict(zip(weights, values, strict=True)), (z,))

    assert gradcheck(log_prob, (z, *weights.values()))


def test_flows_can_be_stacked():
    flows, z = [LogProb(prior(seed=seed)) for seed in range(3)], random(ROWS, UNITS, seed=3)
    found = vmap(lambda *state: functional_call(flows[0], state, (z,)))(*stack_module_state(flows))
    torch.testing.assert_close(found, torch.stack([flow(z) for flow in flows]))


def test_the_codes_of_half_precision_weights_are_float32():
    p, z = density(prior().to(torch.bfloat16)), random(ROWS, UNITS, seed=3, dtype=torch.float32)
    assert p.log_prob(z).dtype == p.draw().dtype == torch.float32
    assert p.layers[0].inverse(z, p.condition)[1].dtype == torch.float32  # before it is summed over the layers


def test_it_is_fitted_to_codes_that_no_gaussian_fits():
    """Two far clusters per label; the Gaussian with their moments has the lowest loss of all Gaussians."""
    axis = torch.eye(2)[Y.repeat(20)]  # of label 0 to the left and right, of label 1 below and above
    sign = torch.where(torch.arange(80) // 4 % 2 == 0, 1.0, -1.0).unsqueeze(1)
    z = 3 * sign * axis + 0.3 * random(80, 2, seed=3, dtype=torch.float32)
    of_label = [z[Y.repeat(20) == label] for label in range(2)]
    gaussian = sum(0.5 * torch.logdet(2 * math.pi * math.e * torch.cov(one.T)) for one in of_label) / 2
    made = prior(2, initial=True, width=32).float()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.01)
    for _ in range(100):
        loss = -density(made, Y.repeat(20)).log_prob(z).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < gaussian - 0.5


@pytest.mark.parametrize("units", [1, 2, 5, 32])
def test_each_unit_is_moved_by_each_other_one(units):
    kept = torch.stack([kept_units(units, layer) for layer in range(2 * max(1, (units - 1).bit_length()))])
    assert torch.equal(kept[::2], ~kept[1::2])
    one, other = torch.triu_indices(units, units, 1)
    assert (kept[:, one] & ~kept[:, other]).any(0).all()
    assert (~kept[:, one] & kept[:, other]).any(0).all()

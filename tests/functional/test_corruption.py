"""Corruptions, with the known draws of seed 0, and their statistics over many draws."""

import math
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch.func import vmap

from latentlab.functional.corruption import Corruption, Gaussian, Masking, Mixed, SaltAndPepper
from latentlab.functional.randomness import RandomSource, Share

CONF = Path(__file__).parents[2] / "conf" / "model" / "corruption"

KINDS = [
    Gaussian(0.3),
    Masking(0.3),
    SaltAndPepper(0.2),
    Mixed([Gaussian(0.2), Masking(0.2), SaltAndPepper(0.1)]),
]
each_kind = pytest.mark.parametrize("corrupt", KINDS, ids=lambda corrupt: type(corrupt).__name__)

# torch.rand and torch.randn, seed 0
UNIFORM = [0.4963, 0.7682, 0.0885, 0.1320, 0.3074, 0.6341, 0.4901, 0.8964]
NORMAL = [1.5410, -0.2934, -2.1788, 0.5684, -1.0845, -1.3986, 0.4033, 0.8380]


def grey(*shape: int, level: float = 0.5) -> torch.Tensor:
    return torch.full(shape or (2, 1, 2, 2), level)


def values(x: torch.Tensor) -> list[float]:
    return x.flatten().tolist()


def test_the_draws_of_seed_0_are_these() -> None:
    assert values(RandomSource(0).uniform(grey())) == pytest.approx(UNIFORM, abs=1e-4)
    assert values(RandomSource(0).normal(grey())) == pytest.approx(NORMAL, abs=1e-4)


def test_gaussian_adds_scaled_normal_draws_and_does_not_clamp() -> None:
    expected = [0.5 + 0.3 * draw for draw in NORMAL]
    assert values(Gaussian(0.3)(grey(), RandomSource(0))) == pytest.approx(expected, abs=1e-4)
    assert min(expected) < 0


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.0, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
        (0.1, [0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5]),
        (0.4, [0.5, 0.5, 0.0, 0.0, 0.0, 0.5, 0.5, 0.5]),
        (0.7, [0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5]),
        (1, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_masking_sets_0_where_the_draw_is_below_p(p: float, expected: list[float]) -> None:
    assert values(Masking(p)(grey(), RandomSource(0))) == expected


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.0, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
        (0.2, [0.5, 0.5, 0.0, 1.0, 0.5, 0.5, 0.5, 0.5]),
        (0.5, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 1.0, 0.5]),
        (1, [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0]),
    ],
)
def test_salt_and_pepper_sets_0_below_half_p_and_1_from_there_to_p(p: float, expected: list[float]) -> None:
    assert values(SaltAndPepper(p)(grey(), RandomSource(0))) == expected


def test_mixed_applies_its_parts_in_order_with_separate_draws() -> None:
    parts = [Gaussian(0.3), Masking(0.5), SaltAndPepper(0.2)]
    one_source, expected = RandomSource(0), grey(4, 1, 8, 8)
    for part in parts:
        expected = part(expected, one_source)
    assert torch.equal(Mixed(parts)(grey(4, 1, 8, 8), RandomSource(0)), expected)
    assert not torch.equal(Mixed(parts[::-1])(grey(4, 1, 8, 8), RandomSource(0)), expected)


def test_mixture_of_the_configs_is_built_also_inside_a_model_config() -> None:
    mixed = OmegaConf.load(CONF / "mixed.yaml")
    config = OmegaConf.create({"_target_": "builtins.dict", "corruption": mixed})
    built = instantiate(config)["corruption"]
    assert built == Mixed([Gaussian(0.2), Masking(0.2), SaltAndPepper(0.1)])
    assert torch.equal(built(grey(), RandomSource(0)), built(grey(), RandomSource(0)))


def test_gaussian_noise_has_the_standard_deviation_sigma() -> None:
    noise = Gaussian(0.3)(grey(100, 1, 28, 28), RandomSource(1)) - 0.5
    assert noise.mean().item() == pytest.approx(0, abs=5 * 0.3 / math.sqrt(78_400))
    assert noise.std().item() == pytest.approx(0.3, rel=5 / math.sqrt(2 * 78_400))


def test_masking_and_salt_and_pepper_replace_a_fraction_p() -> None:
    tolerance = 5 * 0.5 / math.sqrt(78_400)
    masked = Masking(0.3)(grey(100, 1, 28, 28), RandomSource(1))
    spotted = SaltAndPepper(0.2)(grey(100, 1, 28, 28), RandomSource(1))
    assert (masked == 0).float().mean().item() == pytest.approx(0.3, abs=tolerance)
    assert (spotted == 0).float().mean().item() == pytest.approx(0.1, abs=tolerance)
    assert (spotted == 1).float().mean().item() == pytest.approx(0.1, abs=tolerance)


@each_kind
def test_same_seed_gives_the_same_noise_and_another_seed_another(corrupt: Corruption) -> None:
    x = grey(4, 1, 8, 8)
    assert torch.equal(corrupt(x, RandomSource(3)), corrupt(x, RandomSource(3)))
    assert not torch.equal(corrupt(x, RandomSource(3)), corrupt(x, RandomSource(4)))


@each_kind
def test_the_input_is_not_changed(corrupt: Corruption) -> None:
    x = grey(4, 1, 8, 8)
    corrupt(x, RandomSource(3))
    assert torch.equal(x, grey(4, 1, 8, 8))


@each_kind
@pytest.mark.parametrize("world_size", [2, 3])
def test_devices_together_use_the_noise_of_one(corrupt: Corruption, world_size: int) -> None:
    x = torch.rand(7, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    together = torch.empty_like(x)
    for rank in range(world_size):
        share = x[rank::world_size]
        together[rank::world_size] = corrupt(share, RandomSource(3, share=Share(7, rank, world_size)))
    assert torch.equal(together, corrupt(x, RandomSource(3)))


@each_kind
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_shape_and_dtype_are_those_of_the_images(corrupt: Corruption, dtype: torch.dtype) -> None:
    x = grey(3, 2, 5, 4).to(dtype)
    spoilt = corrupt(x, RandomSource(3))
    assert spoilt.shape == x.shape
    assert spoilt.dtype == dtype


@each_kind
def test_stacked_models_get_the_same_noise_under_vmap(corrupt: Corruption) -> None:
    x, shifts = grey(4, 1, 8, 8), torch.tensor([0.0, 1.0])
    together = vmap(lambda shift: corrupt(x, RandomSource(3)) + shift, randomness="same")(shifts)
    expected = corrupt(x, RandomSource(3))
    torch.testing.assert_close(together, torch.stack([expected, expected + 1]))


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
def test_sigma_below_zero_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"^sigma: expected a number of at least 0, found"):
        Gaussian(bad)


@pytest.mark.parametrize("kind", [Masking, SaltAndPepper])
@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_p_that_is_no_probability_is_refused(kind, bad: float) -> None:
    with pytest.raises(ValueError, match=r"^p: expected a probability from 0 to 1, found"):
        kind(bad)


def test_mixture_without_parts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^parts: expected one corruption or more"):
        Mixed([])

"""Dead units are found and revived: AuxK of Gao et al. 2024, compared with values computed by hand."""

import pytest
import torch

from latentlab.functional.dead_units import Revival
from latentlab.functional.penalties import Activity, TopK


def mean(code: torch.Tensor) -> torch.Tensor:
    return code.mean(0)


def after(*batches: list[list[float]], k: int = 1, dead_after: int = 4) -> Revival:
    """Of a code of four units, after training batches of two images."""
    revival = Revival(4, k, dead_after)
    for codes in batches:
        revival.observe(torch.tensor(codes), 2, mean)
    return revival


FIRST = [[1.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]]
SECOND = [[0.0, 0.0, 3.0, 0.0], [0.0, 2.0, 0.0, 0.0]]


def test_images_since_a_unit_was_last_active_are_counted() -> None:
    assert after(FIRST).idle.tolist() == [0, 0, 2, 2]
    assert after(FIRST, SECOND).idle.tolist() == [2, 0, 0, 4]


def test_a_unit_is_dead_after_so_many_images_without_it_and_alive_as_soon_as_it_is_active() -> None:
    assert after(FIRST, FIRST).dead().tolist() == [False, False, True, True]
    assert after(FIRST, FIRST, SECOND).dead().tolist() == [False, False, False, True]


FOURTH, BOTH = [0.0, 0.0, 0.0, 0.5], [0.0, 0.0, 0.25, 0.5]


@pytest.mark.parametrize(("k", "added"), [(1, FOURTH), (2, BOTH), (9, BOTH)])
def test_the_largest_dead_units_are_added_to_a_code(k: int, added: list[float]) -> None:
    raw, code = torch.tensor([[3.0, 0.75, 0.25, 0.5]]), torch.tensor([[3.0, 0.0, 0.0, 0.0]])
    revived = after(FIRST, FIRST, k=k).revived(raw, code)
    assert (revived - code).tolist() == [added]


def test_negative_values_of_dead_units_are_not_added() -> None:
    code = torch.zeros(1, 4)
    assert torch.equal(after(FIRST, FIRST, k=4).revived(torch.full((1, 4), -1.0), code), code)


def test_only_the_added_units_have_a_gradient() -> None:
    raw = torch.tensor([[3.0, 0.75, 0.25, 0.5]], requires_grad=True)
    after(FIRST, FIRST, k=1).revived(raw, raw * torch.tensor([1.0, 0.0, 0.0, 0.0])).sum().backward()
    assert raw.grad.tolist() == [[0.0, 0.0, 0.0, 1.0]]


def test_the_count_is_saved_with_the_weights() -> None:
    restored = Revival(4, 1, 4)
    restored.load_state_dict(after(FIRST, FIRST).state_dict())
    assert restored.dead().tolist() == [False, False, True, True]


def test_top_k_revives_the_units_that_it_never_keeps() -> None:
    penalty = TopK(0.0, 1, 0.0, auxiliary=1 / 32, auxiliary_k=1, dead_after=2)
    penalty.prepare(3)
    raw = torch.tensor([[3.0, 1.0, 2.0], [3.0, 2.0, 1.0]])
    code = penalty.activate(raw)
    assert torch.equal(penalty.revived(raw, code), code)  # none is dead yet
    penalty.observe(Activity(raw, code, mean), 2)
    assert penalty.revived(raw, code).tolist() == [[3.0, 0.0, 2.0], [3.0, 2.0, 0.0]]


@pytest.mark.parametrize("wrong", [{"auxiliary_k": 0}, {"dead_after": 0}, {"auxiliary": -1.0}], ids=str)
def test_options_out_of_range_are_refused(wrong: dict) -> None:
    name = next(iter(wrong))
    with pytest.raises(ValueError, match=rf"^{name}: expected at least"):
        TopK(**{"weight": 0.0, "k": 1, "active_above": 0.0, "auxiliary": 1.0, **wrong}).prepare(4)

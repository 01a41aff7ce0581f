"""BatchTopK, compared with values computed by hand."""

import pytest
import torch

from latentlab.functional.batch_top_k import WINDOW, BatchTopK, keep_largest_of_batch, least_positive
from latentlab.functional.penalties import Activity

CODE = torch.tensor([[5.0, 4.0, 3.0], [1.0, 2.0, 0.5]])


def mean(code: torch.Tensor) -> torch.Tensor:
    return code.mean(0)


def observed(penalty: BatchTopK, raw: torch.Tensor) -> float:
    """The threshold after a training batch."""
    penalty.observe(Activity(raw, penalty.activate(raw), mean), len(raw))
    return float(penalty.threshold)


@pytest.mark.parametrize(
    ("k", "kept"), [(1, [[5.0, 4.0, 0.0], [0.0, 0.0, 0.0]]), (2, [[5.0, 4.0, 3.0], [0.0, 2.0, 0.0]])]
)
def test_the_largest_of_the_batch_are_kept_whichever_image_has_them(k: int, kept: list[list[float]]) -> None:
    assert keep_largest_of_batch(CODE, k).tolist() == kept
    assert BatchTopK(1.0, k, 0.0).activate(CODE).tolist() == kept


def test_only_positive_values_are_kept() -> None:
    assert BatchTopK(1.0, 2, 0.0).activate(torch.tensor([[3.0, -1.0, -2.0]])).tolist() == [[3.0, 0.0, 0.0]]


def test_gradient_is_zero_except_for_the_kept_values() -> None:
    code = CODE.clone().requires_grad_()
    keep_largest_of_batch(code, 1).sum().backward()
    assert code.grad.tolist() == [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


def test_the_threshold_is_the_mean_of_the_smallest_kept_values() -> None:
    penalty = BatchTopK(1.0, 1, 0.0)
    assert [observed(penalty, raw) for raw in (CODE, 2 * CODE, 3 * CODE)] == pytest.approx([4.0, 6.0, 8.0])


def test_the_threshold_forgets_the_first_batches() -> None:
    penalty = BatchTopK(1.0, 1, 0.0)
    for _ in range(WINDOW):
        observed(penalty, CODE)
    assert observed(penalty, 2 * CODE) == pytest.approx(4.0 + 4.0 / WINDOW, rel=1e-5)


def test_in_evaluation_mode_the_values_above_the_threshold_are_kept_and_it_stays() -> None:
    penalty = BatchTopK(1.0, 1, 0.0)
    observed(penalty, CODE)
    alone = penalty.eval().activate(torch.tensor([[4.5, 4.0, 9.0]]))
    assert alone.tolist() == [[4.5, 0.0, 9.0]]
    assert penalty.threshold == 4.0


def test_the_threshold_is_saved_with_the_weights() -> None:
    penalty, restored = BatchTopK(1.0, 1, 0.0), BatchTopK(1.0, 1, 0.0)
    observed(penalty, CODE)
    restored.load_state_dict(penalty.state_dict())
    assert observed(restored, 2 * CODE) == observed(penalty, 2 * CODE)


def test_the_penalty_is_the_distance_of_dead_units_from_the_smallest_kept_value() -> None:
    raw = torch.tensor([[5.0, 4.0, 3.0], [1.0, 2.0, -1.0]])
    penalty = BatchTopK(1.0, 1, 0.0)
    assert penalty(Activity(raw, penalty.activate(raw), mean)).tolist() == [3.0, 3.0]


@pytest.mark.parametrize("code", [torch.zeros(2, 3), torch.zeros(0, 3)], ids=["zeros", "no images"])
def test_the_smallest_positive_value_of_none_is_zero(code: torch.Tensor) -> None:
    assert least_positive(code) == 0


def test_k_above_the_number_of_units_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^penalty\.k: expected 1 to 3, .* found 4;"):
        BatchTopK(1.0, 4, 0.0).check(3)

"""Multinomial logistic regression, fitted to its optimum on the device of its data."""

from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

ITERATIONS = 300
GRADIENT_TOLERANCE = 1e-5  # few rows are separated without an error long before the optimum


@final
class LinearClassifier(NamedTuple):
    """Logits W x + b of the classes, whose labels are `classes`."""

    weight: Float[Tensor, "k d"]
    bias: Float[Tensor, " k"]
    classes: Int[Tensor, " k"]

    def logits(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        return x @ self.weight.T + self.bias

    def error(self, x: Float[Tensor, "n d"], y: Int[Tensor, " n"]) -> float:
        """Fraction of misclassified rows."""
        return float(self.classes[self.logits(x).argmax(1)].ne(y).double().mean())

    def cross_entropy(self, x: Float[Tensor, "n d"], y: Int[Tensor, " n"]) -> float:
        """In nats per row, over the rows of the fitted classes."""
        row, index = (y[:, None] == self.classes).nonzero(as_tuple=True)
        return float(self.logits(x[row]).log_softmax(1).gather(1, index[:, None]).double().mean().neg())


@torch.no_grad()
def fit_logistic(x: Float[Tensor, "n d"], y: Int[Tensor, " n"], strength: float) -> LinearClassifier:
    """The minimum of cross-entropy + |W|^2 / (2 C n) in nats per row, C = `strength`.

    By L-BFGS, until no partial derivative exceeds 1e-5, for at most 300 steps. In float32, as memory
    bandwidth is the limit for many rows, and scikit-learn converts them to float64 at each step.
    """
    classes, target = y.unique(return_inverse=True)
    rows, ridge = torch.arange(len(y), device=x.device), 1 / (strength * len(y))
    weight, bias = x.new_zeros(len(classes), x.shape[1]), x.new_zeros(len(classes))

    def loss_and_gradient() -> float:
        log_p = torch.addmm(bias[:, None], weight, x.T).log_softmax(0)
        loss = ridge / 2 * weight.double().square().sum() - log_p[target, rows].double().mean()
        residual = log_p.exp_()  # (K, N): the products with x are twice as fast as with (N, K)
        residual[target, rows] -= 1
        weight.grad = residual @ x / len(x) + ridge * weight
        bias.grad = residual.mean(1)
        return float(loss)

    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=ITERATIONS,
        tolerance_grad=GRADIENT_TOLERANCE,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )
    optimizer.step(loss_and_gradient)
    return LinearClassifier(weight, bias, classes)

"""Multinomial logistic regression, fitted to its optimum on the device of its data."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

ITERATIONS = 300


class LinearClassifier(NamedTuple):
    """Logits W x + b of the classes."""

    weight: Float[Tensor, "k d"]
    bias: Float[Tensor, " k"]
    classes: Int[Tensor, " k"]

    def logits(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        return x @ self.weight.T + self.bias

    def error(self, x: Float[Tensor, "n d"], y: Int[Tensor, " n"]) -> float:
        """Share of the rows that are put into another class than theirs."""
        return float(self.classes[self.logits(x).argmax(1)].ne(y).double().mean())

    def cross_entropy(self, x: Float[Tensor, "n d"], y: Int[Tensor, " n"]) -> float:
        """Nats a row of a class that the fit saw."""
        row, place = (y[:, None] == self.classes).nonzero(as_tuple=True)
        return float(self.logits(x[row]).log_softmax(1).gather(1, place[:, None]).double().mean().neg())


@torch.no_grad()
def fit_logistic(
    x: Float[Tensor, "n d"], y: Int[Tensor, " n"], strength: float, steepest: float = 1e-4
) -> LinearClassifier:
    """The least of cross-entropy + |W|^2 / (2 C n) in nats a row, C = `strength`.

    By L-BFGS, until no partial derivative is over `steepest` or for 300 steps. In float32: many rows of many units take
    as long to read as to multiply, and scikit-learn makes float64 of them at each step.
    """
    classes, target = y.unique(return_inverse=True)
    rows, ridge = torch.arange(len(y), device=x.device), 1 / (strength * len(y))
    weight, bias = x.new_zeros(len(classes), x.shape[1]), x.new_zeros(len(classes))

    def loss_and_gradient() -> float:
        log_p = torch.addmm(bias[:, None], weight, x.T).log_softmax(0)
        loss = ridge / 2 * weight.double().square().sum() - log_p[target, rows].double().mean()
        surprise = log_p.exp_()  # a row a class: the products with x are twice as fast so
        surprise[target, rows] -= 1
        weight.grad = surprise @ x / len(x) + ridge * weight
        bias.grad = surprise.mean(1)
        return float(loss)

    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=ITERATIONS,
        tolerance_grad=steepest,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )
    optimizer.step(loss_and_gradient)
    return LinearClassifier(weight, bias, classes)

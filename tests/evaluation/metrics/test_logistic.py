"""Logistic regression, compared with scikit-learn."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from latentlab.evaluation.metrics.logistic import fit_logistic


def overlapping(count, units, classes=4, seed=0):
    """Centred codes whose units' deviations span four decades."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(count) % classes
    x = torch.randn(count, units, generator=generator)
    x[torch.arange(count), y % units] += 1.5
    x *= torch.logspace(0, -4, units)
    return x - x.mean(0), y


def cost(classifier, x, y, strength):
    penalty = classifier.weight.double().square().sum() / (2 * strength * len(y))
    return classifier.cross_entropy(x, y) + float(penalty)


@pytest.mark.parametrize("strength", [100.0, 1.0, 0.001])
@pytest.mark.parametrize(("count", "units"), [(2_000, 2), (2_000, 40), (30, 200)])
def test_the_optimum_is_sklearns(count, units, strength):
    x, y = overlapping(count, units)
    found = fit_logistic(x, y, strength)
    expected = LogisticRegression(C=strength, tol=1e-9, max_iter=10_000).fit(x.double().numpy(), y.numpy())
    reference = found._replace(weight=torch.tensor(expected.coef_), bias=torch.tensor(expected.intercept_))
    assert cost(found, x, y, strength) == pytest.approx(cost(reference, x.double(), y, strength), abs=1e-5)
    assert found.error(x, y) == pytest.approx(reference.error(x.double(), y), abs=0.002)


def test_the_gradient_vanishes_at_the_optimum():
    x, y = overlapping(1_000, 20)
    found = fit_logistic(x, y, 1.0)
    weight, bias = (parameter.double().requires_grad_() for parameter in (found.weight, found.bias))
    logits = x.double() @ weight.T + bias
    loss = torch.nn.functional.cross_entropy(logits, y) + weight.square().sum() / (2 * len(y))
    for gradient in torch.autograd.grad(loss, (weight, bias)):
        assert gradient.abs().max() < 1e-4


def test_classes_keep_their_labels():
    x, y = overlapping(400, 4)
    found = fit_logistic(x, 10 * y + 3, 1.0)
    assert found.classes.tolist() == [3, 13, 23, 33]
    assert found.error(x, 10 * y + 3) == pytest.approx(fit_logistic(x, y, 1.0).error(x, y))


def test_an_unseen_class_adds_no_cross_entropy_and_is_always_an_error():
    x, y = overlapping(400, 4)
    found = fit_logistic(x[y < 3], y[y < 3], 1.0)
    assert found.cross_entropy(x, y) == pytest.approx(found.cross_entropy(x[y < 3], y[y < 3]))
    assert found.error(x[y == 3], y[y == 3]) == 1.0


def test_uninformative_codes_give_the_frequencies_of_the_classes():
    x, y = torch.zeros(50, 3), torch.tensor([0, 0, 0, 1, 2] * 10)
    frequencies = torch.tensor([0.6, 0.2, 0.2])
    entropy = float(torch.special.entr(frequencies).sum())
    assert fit_logistic(x, y, 1.0).cross_entropy(x, y) == pytest.approx(entropy, abs=1e-5)

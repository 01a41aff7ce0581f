"""`latentlab.evaluate` with measurements of one's own."""

import json

import numpy as np
import pytest
import torch

import latentlab as ll
from latentlab.evaluation.metrics.applicability import NotApplicable


def trained_on(model: ll.Autoencoder) -> torch.Tensor:
    """One of its weights after a change, as by a step of an optimizer."""
    return next(model.parameters()).add_(0.01).sum()


def skipped_after(change: torch.Tensor):
    raise NotApplicable("a reason")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("measurement", "message"),
    [
        (lambda subject: [("mse", 9.0)], "the run has a metric mse already; choose another name"),
        pytest.param(lambda subject: [("nll", 9.0)], "the run has a metric nll", marks=pytest.mark.long),
        (lambda subject: [("a b", 9.0)], "expected names of letters, digits"),
        pytest.param(lambda subject: 3.0, "expected pairs", marks=pytest.mark.long),
        (lambda subject: {"a": 1.0}, "expected pairs"),
        (lambda subject: [("own", float(trained_on(subject.model)))], "changed the model; let it work on copy"),
        (lambda subject: skipped_after(trained_on(subject.model)), "changed the model; let it work on copy"),
        (lambda subject: [("own", 1.0), ("own", 2.0)], "expected pairs .*, found otherwise: a name twice"),
    ],
)
def test_a_measurement_of_ones_own_does_not_touch_the_others(run, outputs, measurement, message):
    before = run.metrics
    with pytest.raises(ll.UserError, match=f"measurements.mine: {message}"):
        ll.evaluate(run, samples=1, output_dir=outputs, measurements={"mine": measurement})
    assert {name: run.metrics[name] for name in before} == before
    assert "own" not in run.metrics


@pytest.mark.slow
def test_a_measurement_of_ones_own_may_be_repeated_and_give_any_number(run, outputs):
    own = {"mine": lambda subject: [("own_metric", np.float32(2.5))]}
    for measurements in (own, own, {}, own):
        ll.evaluate(run, samples=1, output_dir=outputs, measurements=measurements)
    assert run.metrics["test/own_metric"] == 2.5


@pytest.mark.slow
def test_a_metric_belongs_to_the_measurement_that_found_it_last(run, outputs):
    """Else one that no longer yields it would delete that of the other."""
    for name, metric in (("first", "shared"), ("second", "shared"), ("first", "another")):
        ll.evaluate(run, samples=1, output_dir=outputs, measurements={name: lambda subject, f=metric: [(f, 1.0)]})
    assert {"test/shared", "test/another"} <= run.metrics.keys()


@pytest.mark.slow
def test_an_error_in_a_measurement_of_ones_own_keeps_its_traceback(run, outputs):
    def metrics(subject):
        yield "own_metric", float("no number")

    file = run.folder / "metrics.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"metrics": {"test/mse": kept["metrics"]["test/mse"]}, "evaluation": {}}))
    with pytest.raises(ValueError, match="could not convert") as caught:
        ll.evaluate(run, samples=1, output_dir=outputs, measurements={"mine": metrics})
    assert not isinstance(caught.value, ll.UserError)
    assert {"test/nll", "test/label_agreement"} <= run.metrics.keys()  # which were measured before it
    assert "suite" not in json.loads(file.read_text())["evaluation"]
    file.write_text(json.dumps(kept))

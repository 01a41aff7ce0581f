"""Metrics of two kinds are shown, but none of them is marked as the best."""

import pytest

from latentlab.report.content import Content
from latentlab.report.reading.run_sets import read_sweep
from tests.report.run_folders import write_run, write_sweep

DISTRIBUTIONS = "latentlab.functional.distributions"
FIGURES = {"elbo": -100.0, "nll": 95.0, "nll_samples": 200.0, "mse": 0.01}


def content_of(folder, *runs, targets=("vae.VAE",) * 2):
    """runs: (name of a likelihood, metrics that differ from `FIGURES`), of two seeds each. targets: their variants."""
    jobs = []
    for index, (likelihood, changes) in enumerate(runs):
        for seed in (0, 1):
            jobs.append(f"model.beta={index},seed={seed}")
            metrics = {name: (1 + 0.1 * index) * value for name, value in (FIGURES | changes).items()}
            metrics |= {"nll_samples": (FIGURES | changes)["nll_samples"]}
            config = {"likelihood._target_": f"{DISTRIBUTIONS}.{likelihood}", "model.beta": float(index)}
            config |= {"model._target_": f"latentlab.models.{targets[index]}"}
            write_run(folder / jobs[-1], metrics, seed, config)
    return Content.of(read_sweep(write_sweep(folder, jobs)), None)


def best(content):
    return {entry.measure.key for entry in content.comparisons if entry.best is not None}


@pytest.mark.parametrize("likelihoods", [("Bernoulli", "Bernoulli"), ("Gaussian", "Laplace")])
def test_likelihoods_of_one_kind_are_compared(tmp_path, likelihoods):
    content = content_of(tmp_path, *((name, {}) for name in likelihoods))
    assert best(content) == {"test/elbo", "test/nll", "test/mse"}
    assert content.notes == []


def test_a_density_and_a_probability_are_not(tmp_path):
    content = content_of(tmp_path, ("Gaussian", {}), ("Bernoulli", {}))
    assert best(content) == {"test/mse"}
    assert content.notes == ["Not compared: elbo, nll, as the runs have different likelihoods"]
    answers = {row.question.text: row.answer for row in content.glance.rows}
    assert answers["Which has the highest ELBO?"] == "not compared: different likelihoods"
    assert answers["Which reconstructs best?"] == "the intervals are apart"


def test_likelihoods_with_and_without_the_label_are_not(tmp_path):
    content = content_of(tmp_path, ("Bernoulli", {}), ("Bernoulli", {}), targets=("vae.VAE", "cvae.CVAE"))
    assert best(content) == {"test/mse"}
    assert content.notes == [
        "Not compared: elbo, nll, as some of the variants are given the label: theirs are of p(x given y)"
    ]
    answers = {row.question.text: row.answer for row in content.glance.rows}
    assert answers["Which has the highest ELBO?"] == "not compared: of p(x) and of p(x given y)"


def test_estimates_from_different_numbers_of_codes_are_not(tmp_path):
    content = content_of(tmp_path, ("Bernoulli", {}), ("Bernoulli", {"nll_samples": 10.0}))
    assert best(content) == {"test/elbo", "test/mse"}
    (note,) = content.notes
    assert note.startswith("Not compared: nll, as they were estimated from different numbers of codes")

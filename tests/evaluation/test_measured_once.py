"""Metrics of the data alone: measured for the first run on it, and read for all others."""

import logging
from dataclasses import replace

import pytest

from latentlab.evaluation import measurements
from latentlab.evaluation.measured_once import measured_once
from latentlab.evaluation.suites import SUITES
from tests.evaluation.test_pictures import subject_of

FIGURES = {"error": 0.1 + 0.2, "spread": 1e-300}


def measured(calls):
    calls.append(1)
    yield from FIGURES.items()


def test_metrics_are_measured_once_and_read_to_the_last_bit(tmp_path, caplog):
    calls, file = [], tmp_path / "kept" / "kept.json"
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            assert measured_once("baselines", file, lambda: measured(calls)) == FIGURES
    assert calls == [1]
    assert caplog.messages == [f"measuring the baselines once; they are kept in {file}"]


@pytest.mark.parametrize("content", ["", "[]", '{"error": "low"}', '{"error": NaN}', '{"error": 0.1'])
def test_a_damaged_file_is_replaced(tmp_path, caplog, content):
    calls, file = [], tmp_path / "kept.json"
    file.write_text(content)
    for _ in range(2):
        assert measured_once("baselines", file, lambda: measured(calls)) == FIGURES
    assert calls == [1]
    assert "the baselines are measured again" in caplog.text


@pytest.mark.slow
def test_another_model_on_the_same_images_has_the_same_baselines_and_other_images_have_others(tmp_path, monkeypatch):
    first, second = (replace(subject_of(variant), references=tmp_path) for variant in ("ae", "vae"))
    measure = SUITES["full"].measurements["few labels, pixels"]
    found = dict(measure(first))
    assert "few_labels_pixels_100_error" in found
    assert "few_labels_pca_100_spreading_error" in found
    with monkeypatch.context() as patched:
        patched.setattr(measurements, "few_labels", lambda *given: pytest.fail("measured again"))
        assert dict(measure(second)) == found
    second.test_batch.x[0] += 0.1
    dict(measure(second))
    assert len(list((tmp_path / "baselines").glob("*.json"))) == 2

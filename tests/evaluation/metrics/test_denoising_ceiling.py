"""The metrics of the reference denoiser, beside those of a denoising variant."""

from functools import partial

import pytest
import torch

from latentlab.evaluation.measurements import FULL, QUICK
from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.denoising_ceiling import denoising_ceiling
from latentlab.evaluation.metrics.restoration import restoration
from latentlab.evaluation.subject import Subject
from latentlab.functional.corruption import Masking
from tests.training.callbacks.short_runs import digits, model_of

MEASUREMENT = "denoising ceiling"


def subject_of(variant, folder, binarize=None):
    data = digits()
    data.binarize = binarize
    return Subject(model_of(variant, data).eval(), data, "some_run", "best", samples=2, references=folder)


class Identity:
    device = torch.device("cpu")

    def reconstruct(self, x, y=None):
        return x


def test_its_metrics_are_those_of_restoration_by_the_denoiser_on_the_same_noise(tmp_path):
    subject, corruption = subject_of("ae", tmp_path), Masking(0.3)
    found = dict(denoising_ceiling(Identity(), subject.test(), corruption))
    of_the_model = dict(restoration(subject.model, subject.test(), corruption))
    names = ("psnr_mean", "psnr_of_mean", "ssim")
    assert found == {f"{name}_ceiling": of_the_model[f"{name}_clipped_input"] for name in names}


@pytest.mark.parametrize("binarize", [None, "threshold"])
def test_a_denoising_variant_is_measured_beside_a_denoiser_of_its_own_corruption(tmp_path, monkeypatch, binarize):
    monkeypatch.setattr("latentlab.evaluation.reference_denoiser.STEPS", 2)
    subject, corruption = subject_of("denoising", tmp_path, binarize), Masking(0.3)
    subject.model.measurements = (partial(restoration, corruption=corruption),)
    with torch.no_grad():
        found = dict(FULL[MEASUREMENT](subject))
    assert len(list((tmp_path / "reference_denoisers").glob("*.pt"))) == 1
    expected = denoising_ceiling(subject.reference_denoiser(corruption), subject.test(), corruption)
    assert found == pytest.approx(dict(expected))


def test_it_is_skipped_where_nothing_is_denoised_and_by_the_quick_suite(tmp_path):
    with pytest.raises(NotApplicable, match="not trained to undo a corruption"):
        dict(FULL[MEASUREMENT](subject_of("vae", tmp_path)))
    assert not list(tmp_path.iterdir())
    assert MEASUREMENT not in QUICK

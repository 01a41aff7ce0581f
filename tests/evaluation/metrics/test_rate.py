"""Rate, distortion and active units, against the model's own terms."""

import pytest
import torch

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.rate import rate
from tests.models.variants import batch, build


@pytest.mark.parametrize("variant", ["vae", "cvae", "cvae_label_prior", "vae_mixture", "vae_vampprior", "cvae_flow"])
def test_rate_and_distortion_are_the_models_own_terms(variant):
    model = build(variant).eval()
    found = dict(rate(model, [batch()]))
    with torch.no_grad():
        terms = model(batch())
    assert found["rate"] == pytest.approx(float(terms["kl"].mean()), rel=1e-5)
    assert found["distortion"] == pytest.approx(float(terms["reconstruction"].mean()), rel=1e-5)


def test_a_unit_is_active_where_its_mean_varies():
    model = build("vae").eval()
    with torch.no_grad():
        last = list(model.encoder.parameters())[-2]
        last[:4] = 0  # means of all four units
        last[1] = 100
    assert dict(rate(model, [batch(rows=50)]))["active_units"] == 1


def test_a_variant_without_a_posterior_has_no_rate():
    with pytest.raises(NotApplicable):
        dict(rate(build("ae"), [batch()]))

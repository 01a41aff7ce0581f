"""A sixth variant costs one Python file and one YAML, and no edit of anything that is there."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from latentlab.functional.distributions import DiagonalGaussian
from tests.models.variant_properties import VariantProperties
from tests.own_variants.short_code import ShortCode
from tests.own_variants.total_correlation import TotalCorrelationVAE, total_correlation

FILES = Path(__file__).parent / "own_variants"
CONFIGS = {
    "short_code": "_target_: short_code.ShortCode\nlatent_dim: 5\nlength_weight: 0.1\n",
    "total_correlation": ("_target_: total_correlation.TotalCorrelationVAE\nlatent_dim: 5\nbeta: 4.0\nimages: 1297\n"),
}


def run(folder: Path, variant: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The variant trained from a folder of the user's own, which holds its file and its config."""
    (folder / "conf" / "model").mkdir(parents=True)
    shutil.copy(FILES / f"{variant}.py", folder)
    (folder / "conf" / "model" / f"{variant}.yaml").write_text(CONFIGS[variant])
    command = [sys.executable, "-m", "latentlab", "train", "--config-dir", "conf", f"model={variant}", "data=digits"]
    command += ["data.image_size=8", "trainer=smoke", f"hydra.run.dir={folder}/run", *arguments]
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "terms"),
    [("short_code", {"test/length"}), ("total_correlation", {"test/kl", "test/total_correlation", "test/elbo"})],
)
def test_it_trains_reports_the_shared_metrics_and_draws_without_an_edit_elsewhere(tmp_path, variant, terms):
    done = run(tmp_path, variant)
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["metrics"]
    assert {"test/reconstruction", "test/mse", "test/bce", *terms} <= metrics.keys()
    assert len(list((tmp_path / "run" / "figures").glob("*.png"))) == 4


def test_its_signature_is_its_schema(tmp_path):
    done = run(tmp_path, "short_code", "model.length_weight=much")
    assert done.returncode == 1
    assert done.stderr.startswith("error: model.length_weight: expected float, found 'much'")


def test_a_variant_with_one_more_term_is_a_class_of_about_fifteen_lines():
    source = (FILES / "short_code.py").read_text()
    lines = [line for line in source[source.index("class ") :].splitlines() if line.strip()]
    assert len(lines) <= 15


class TestShortCode(VariantProperties):
    make = partial(ShortCode, length_weight=0.1)


class TestTotalCorrelationVAE(VariantProperties):
    make = partial(TotalCorrelationVAE, beta=4.0, images=100)


def test_total_correlation_of_a_correlated_gaussian():
    """Of one posterior per data point, spread along the diagonal: -log(1 - correlation^2) / 2."""
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(2000, 1, generator=generator).expand(-1, 2)
    posterior = DiagonalGaussian(mean, torch.zeros_like(mean))  # unit variance: the sum has correlation 1/2
    z = posterior.sample(torch.randn(2000, 2, generator=generator))
    estimate = total_correlation(z, posterior, images=1).mean().item()  # the batch is the whole data set
    assert estimate == pytest.approx(0.1438, abs=0.02)

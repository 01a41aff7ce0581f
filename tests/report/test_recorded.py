"""Recorded metrics: `make check` fails where a metric is worse than recorded, and nowhere else."""

import json
import math
import subprocess
import sys

import pytest

from latentlab.errors import UserError
from latentlab.report.recorded import Deviation, Recorded, RecordedMean
from tests.called import Done, called

SMALL = ["model=ae,vae", "seed=0,1", "trainer.max_epochs=1", "data.image_size=8"]


@pytest.mark.parametrize(
    ("name", "recorded", "tolerance", "found", "is_worse"),
    [
        ("test/mse", 0.01, 0.001, 0.0109, False),
        ("test/mse", 0.01, 0.001, 0.0111, True),
        ("test/mse", 0.01, 0.001, 0.001, False),  # better
        ("test/elbo", -100.0, 2.0, -101.9, False),
        ("test/elbo", -100.0, 2.0, -102.1, True),
        ("test/elbo", -100.0, 2.0, -50.0, False),  # better
        ("test/mse", 0.01, 0.001, math.nan, True),
    ],
)
def test_a_metric_is_worse_by_more_than_its_tolerance_in_its_own_direction(name, recorded, tolerance, found, is_worse):
    assert Deviation("VAE", name, RecordedMean(recorded, tolerance), found).is_worse == is_worse


def test_metrics_are_read_as_they_were_written(tmp_path):
    recorded = Recorded({"VAE": {"test/mse": RecordedMean(0.01, 0.001)}})
    recorded.write(tmp_path / "check.json")
    assert Recorded.read(tmp_path / "check.json") == recorded


def test_a_group_that_is_not_found_is_reported():
    with pytest.raises(UserError, match="no test/mse of VAE"):
        Recorded({"VAE": {"test/mse": RecordedMean(0.01, 0.001)}}).deviations(Recorded({"AE": {}}))


@pytest.mark.parametrize("content", ["", "[]", "{", '{"VAE": {"test/mse": 3}}', '{"VAE": {"test/mse": {"mean": 1}}}'])
def test_a_file_of_other_content_is_refused(tmp_path, content):
    (tmp_path / "check.json").write_text(content)
    with pytest.raises(UserError, match="no recorded metrics"):
        Recorded.read(tmp_path / "check.json")


def check(folder, *arguments: str) -> Done:
    return called("check", *SMALL, *arguments, folder=folder)


@pytest.mark.slow
def test_the_check_fails_where_a_variant_is_worse(tmp_path):
    file = tmp_path / "check.json"
    assert "cannot read" in check(tmp_path, f"recorded={file}").stderr
    assert check(tmp_path, "record=true", f"recorded={file}").returncode == 0
    recorded = json.loads(file.read_text())
    assert recorded.keys() == {"AE", "VAE"}
    again = check(tmp_path, f"recorded={file}")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "as recorded, or better" in again.stdout
    worse = check(tmp_path, f"recorded={file}", "optimizer.lr=1e-5")
    assert worse.returncode == 1
    assert "WORSE  AE" in worse.stdout


def test_metrics_are_recorded_in_a_file_that_is_named_and_can_be_written(tmp_path):
    assert "recorded=FILE" in check(tmp_path, "record=true").stderr
    assert "recorded: expected a file" in check(tmp_path, "record=true", f"recorded={tmp_path}").stderr
    assert not (tmp_path / "outputs").exists()
    with pytest.raises(UserError, match="recorded: cannot write"):
        Recorded({}).write(tmp_path)


@pytest.mark.long
def test_without_a_file_the_shipped_metrics_count_in_any_folder(tmp_path):
    done = check(tmp_path)  # two of the five variants that are recorded
    assert done.returncode == 1
    assert "was found; there are AE, VAE" in done.stderr


def test_the_help_of_the_check_shows_its_usage():
    done = subprocess.run(
        [sys.executable, "-m", "latentlab", "check", "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("latentlab check")

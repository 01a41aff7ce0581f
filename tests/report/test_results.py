"""The results page: what was measured beside what is published, and the verdict on each."""

from dataclasses import replace

import pytest

from latentlab.config import config_dir
from latentlab.errors import ConfigError, UserError
from latentlab.report.reading.records import Record
from latentlab.report.recorded import RecordedMean
from latentlab.report.results.claims import FILE, Claim, Reproduction, read_reproductions
from latentlab.report.results.measured import Measured, as_recorded, measured, read_measured, write_measured
from latentlab.report.results.page import Row, results_page, rows
from latentlab.report.statistics.intervals import summary
from latentlab.report.statistics.measures import MINUS

RECIPES = {file.stem for file in (config_dir() / "experiment").glob("*.yaml")}
AE = Reproduction(
    recipe="first",
    protocol="grey levels",
    minutes=1,
    picture="samples",
    claims=(Claim(metric="mse", published=0.02, source="Hinton 2006"), Claim(metric="elbo", of=("model=vae",))),
)
FOUND = Measured(
    metrics=({"0": 0.01, "1": 0.02}, {"0": -100.0}),
    seconds={"0": 10.0, "1": 20.0},
    command="latentlab train -m experiment=first seed=0,1",
    machine="a processor, 2 cores",
    revision="abc",
)


def record(tmp_path, seed: int, model: str, **metrics: float) -> Record:
    metrics = {f"test/{name}": value for name, value in metrics.items()}
    overrides = {"model": model, "seed": str(seed)}
    costs = {"train_seconds": 5.0}
    return Record(f"{model}{seed}", tmp_path, "complete", seed=seed, overrides=overrides, metrics=metrics, costs=costs)


def test_every_shipped_claim_is_of_a_shipped_recipe():
    shipped = read_reproductions(config_dir() / FILE)
    assert shipped
    assert shipped.keys() <= RECIPES
    for one in shipped.values():
        assert one.protocol[-1] != "."
        assert one.claims


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "NoneType"),
        ("first: 3", "int"),
        ("first: {protocol: p, minutes: 1, picture: x}", "claims"),
        ("first: {protocol: p, minutes: 1, picture: x, claims: [{metric: kl}]}", "neither lower nor higher"),
        ("first: {protocol: p, minutes: 1, picture: x, claims: [{metric: mse, published: 1}]}", "belong together"),
        ("first: {protocol: p, minutes: 1, picture: x, claims: [{metric: mse, aims: 1}]}", "aims"),
    ],
)
def test_a_mistake_in_the_file_of_claims_is_named(tmp_path, content, found):
    (tmp_path / "results.yaml").write_text(content)
    with pytest.raises(ConfigError, match=rf"results\.yaml: expected recipes .*{found}"):
        read_reproductions(tmp_path / "results.yaml")


def test_metrics_are_those_of_the_runs_that_a_claim_is_of(tmp_path):
    records = [
        record(tmp_path, 0, "ae", mse=0.3, elbo=5),
        record(tmp_path, 0, "vae", elbo=-90),
        record(tmp_path, 1, "vae", elbo=-92),
        replace(record(tmp_path, 2, "vae", elbo=-1), status="failed"),
    ]
    found = measured(AE, records, "command", "machine")
    assert found.metrics == ({"0": 0.3}, {"0": -90, "1": -92})
    assert found.seconds == {"0": 10.0, "1": 5.0}
    assert found.least_seconds == 5.0


def test_a_metric_that_no_run_has_is_named(tmp_path):
    with pytest.raises(UserError, match="no run of first has test/elbo of model=vae"):
        measured(AE, [record(tmp_path, 0, "ae", mse=0.3)], "command", "machine")


@pytest.mark.parametrize(
    ("metric", "values", "published", "aim", "verdict"),
    [
        ("mse", [0.010, 0.011, 0.012], 0.03, None, "better than published"),
        ("mse", [0.010, 0.011, 0.012], 0.001, None, "worse than published"),
        ("mse", [0.010, 0.011, 0.012], 0.0115, None, "no difference shown"),
        ("mse", [0.0149, 0.0149], 0.015, None, "no difference shown"),  # which was rounded
        ("mse", [0.0144, 0.0144], 0.015, None, "better than published"),
        ("elbo", [-90.0, -90.1, -90.2], -80, -95, "aim met, worse than published"),
        ("elbo", [-90.0, -90.1, -90.2], -99, -89, "**aim missed**, better than published"),
        ("mse", [0.01], 0.02, 0.01, "aim met, one seed"),
        ("mse", [0.01, 0.01], None, None, "for the record"),
    ],
)
def test_the_verdict(metric, values, published, aim, verdict):
    source = "" if published is None else "a paper"
    claim = Claim(metric=metric, published=published, source=source, aim=aim)
    assert Row("first", claim, summary(values), 3.0).verdict == verdict


def test_the_page_has_a_line_per_metric_and_a_section_per_recipe():
    page = results_page([AE, replace(AE, recipe="second")], {"first": FOUND}, {"first": "results/first.png"})
    assert "| [first](#first) | MSE (per pixel) ↓ | 0.02 | 0.015 ± 0.064 | 10 |  | no difference shown" in page
    assert f"| [first](#first) | ELBO (nats per image) ↑ (model=vae) |  | {MINUS}100 | 10 |  | one seed |" in page
    assert "Not measured yet: second." in page
    assert "Published: Hinton 2006." in page
    assert "```bash\nlatentlab train -m experiment=first seed=0,1\n```" in page
    assert "![Picture of first](results/first.png)" in page
    assert [row.found.n for row in rows(AE, FOUND)] == [2, 1]


def test_the_picture_is_of_a_run_that_the_first_metric_belongs_to():
    first = Claim(metric="mse", of=("model=vae", "model.latent_dim=8"))
    assert first.is_of({"model": "vae", "model.latent_dim": "8", "seed": "0"})
    assert not first.is_of({"model": "vae", "model.latent_dim": "2", "seed": "0"})
    page = results_page([replace(AE, claims=(first, AE.claims[1]))], {"first": FOUND}, {"first": "x.png"})
    assert "![Picture of first model=vae model.latent_dim=8](x.png)" in page


def test_metrics_are_read_as_they_were_written(tmp_path):
    file = tmp_path / "results.json"
    assert read_measured(file) == {}
    write_measured(file, {"first": FOUND})
    assert read_measured(file) == {"first": FOUND}
    file.write_text('{"first": {"figures": []}}')
    with pytest.raises(UserError, match="expected metrics that `latentlab reproduce` wrote"):
        read_measured(file)


def test_metrics_of_other_claims_do_not_fit():
    assert FOUND.fits(AE)
    assert not FOUND.fits(replace(AE, claims=AE.claims[:1]))
    assert not replace(FOUND, metrics=({"0": 0.1}, {})).fits(AE)


def test_what_is_recorded_tolerates_three_standard_errors_of_a_difference_or_2_percent():
    recorded = as_recorded([AE], {"first": FOUND}).metrics
    spread = 0.005 * 2**0.5
    assert recorded["first"]["test/mse"].mean == 0.015
    assert recorded["first"]["test/mse"].tolerance == pytest.approx(3 * spread)
    assert recorded["first model=vae"]["test/elbo"] == RecordedMean(-100.0, 2.0)
    one_seed = replace(FOUND, metrics=tuple(dict([*values.items()][:1]) for values in FOUND.metrics))
    of_one = as_recorded([AE], {"first": FOUND}, {"first": one_seed}).metrics["first"]["test/mse"]
    assert of_one.tolerance == pytest.approx(3 * spread * (1 / 2 + 1) ** 0.5)

"""docs/metrics.md: every metric that a run or an evaluation can report is defined there, each by the same facts."""

import re
from pathlib import Path

import pytest

from latentlab.report.statistics.measures import COSTS, KNOWN, measure
from tests.documented_metrics import PATTERNS, sections, undocumented

ROOT = Path(__file__).parents[1]
FACTS = ("Unit", "Better", "Blind to", "Source")
SECTIONS = sections()
EVERY_SECTION = pytest.mark.parametrize("names", SECTIONS, ids=" ".join)
OWN = {  # metrics of options that a default run of the variant does not have
    "ae": [],
    "sparse_ae": ["model/penalty=topk", "model.penalty.auxiliary=0.03"],
    "denoising_ae": ["model/corruption=mixed"],
    "vae": ["model.free_bits=0.1", "model/kl_schedule=linear"],
    "cvae": ["model/prior=label", "likelihood=gaussian", "model/bound=iwae", "model.bound.samples=2"],
}


@EVERY_SECTION
def test_a_metric_has_a_unit_a_direction_a_blind_spot_and_a_source(names):
    facts = dict(re.findall(r"^- \*\*([\w ]+)\*\*: (.+)$", SECTIONS[names], re.MULTILINE))
    assert tuple(facts) == FACTS
    assert all(text.strip() for text in facts.values())
    assert re.match(r"(lower|higher|none)\b", facts["Better"])


@EVERY_SECTION
def test_the_direction_is_that_of_the_report(names):
    """A metric that is better only under a condition, such as "lower, at the same `mse`", may have none there."""
    direction, condition = re.search(r"\*\*Better\*\*: (lower|higher|none)(,?)", SECTIONS[names]).groups()
    for name in names:
        example = name.replace("KIND_STRENGTH", "gaussian_0.3").replace("KIND", "inverted").replace("N", "100")
        for source in ("prior", "gaussian", "mixture"):
            reported = measure(f"test/{example.replace('SOURCE', source)}").better
            assert (reported or "none") == direction or (reported is None and condition), name


def test_a_metric_is_defined_once():
    names = [name for section in SECTIONS for name in section]
    assert len(names) == len(set(names)) > 60


def test_what_a_report_labels_is_defined():
    assert not undocumented(key for key in KNOWN)
    assert COSTS.keys() <= {name for section in SECTIONS for name in section}


@pytest.mark.parametrize("variant", OWN)
def test_every_metric_of_a_run_is_defined(train, variant):
    tiny = [
        "data=digits",
        "data.image_size=8",
        "net.widths=[8]",
        "trainer=smoke",
        "callbacks=no_pictures",
        "logger=csv",
    ]
    run = train(*tiny, f"model={variant}", *OWN[variant])
    epochs, _ = run.read_history()
    reported = {name for row in epochs.values() for name in row if "/" in name} | run.metrics["metrics"].keys()
    (table,) = run.folder.rglob("metrics.csv")
    reported |= {name for name in table.read_text().splitlines()[0].split(",") if "/" in name}
    assert "train/objective_step" in reported
    assert len(reported) > 12
    assert not undocumented(reported)


def test_every_plain_name_that_a_measurement_yields_is_defined():
    sources = (ROOT / "src/latentlab/evaluation/metrics").glob("*.py")
    yielded = {name for file in sources for name in re.findall(r'yield f?"([^"]+)"', file.read_text())}
    assert len(yielded) > 30
    assert not undocumented(name for name in yielded if "{" not in name)


def test_another_metric_is_not():
    others = {"test/mse_upside_down", "test/few_labels_7_error", "test/frechet_posterior", "val/mse_gaussian_0.31"}
    assert undocumented(others) == others
    assert len(PATTERNS) > 60

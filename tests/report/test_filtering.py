"""What the page's filter compares with."""

import json

from latentlab.report.content import Content
from latentlab.report.filtering import filter_values
from latentlab.report.reading.run_sets import read_sweep
from tests.report.run_folders import beta_sweep, search_sweep, write_run, write_sweep
from tests.report.test_page import MARKUP, page_of


def values_of(folder):
    return json.loads(filter_values(Content.of(read_sweep(folder), None)))


def test_groups_have_their_settings_and_means_and_runs_their_own_metrics(tmp_path):
    found = values_of(beta_sweep(tmp_path))
    assert found["columns"][:4] == ["model.beta", "seed", "status", "test/mse"]
    assert found["shared"]["optimizer.lr"] == 0.001
    assert found["groups"][0]["settings"] == {"model.beta": 0.5}
    assert round(found["groups"][0]["metrics"]["test/mse"], 6) == 0.0051
    group, own = found["runs"][1]
    assert group == 0
    assert (own["seed"], own["status"], round(own["test/mse"], 6)) == (1, "complete", 0.0051)


def test_a_run_without_a_config_has_the_overrides_of_its_job(tmp_path):
    write_run(tmp_path / "model.beta=1,seed=0", {"mse": 1.0})
    found = values_of(write_sweep(tmp_path, ["model.beta=1,seed=0", "model.beta=9,seed=3"]))
    assert found["runs"][1] == [None, {"status": "missing", "model.beta": "9", "seed": "3"}]


def test_a_trial_is_its_run_with_what_was_drawn_and_its_objectives(tmp_path):
    folder = search_sweep(tmp_path, 3)
    content = json.loads((folder / "search.json").read_text())
    content["trials"][2]["folder"] = "gone"
    (folder / "search.json").write_text(json.dumps(content))
    found = values_of(folder)
    assert found["trials"] == {"0": 0, "1": 1, "2": 3}  # a further run
    assert found["runs"][0][1]["trial"] == 0
    assert found["runs"][0][1]["val/mse"] == content["trials"][0]["values"][0]
    assert found["runs"][0][1]["net.widths"] == "[16]"
    assert found["runs"][3][0] is None


def test_no_value_becomes_markup_and_every_number_is_json(tmp_path):
    for k, value in enumerate((MARKUP, float("nan"), float("inf"), 10**400, "</template>")):
        write_run(tmp_path / str(k), {"mse": 1.0}, 0, {"net.activation": value})
    assert "NaN" not in filter_values(Content.of(read_sweep(tmp_path), None))
    page = page_of(tmp_path)
    assert sum(tag == "template" for tag, _ in page.tags) == 1
    assert not any("onerror" in attributes for _, attributes in page.tags)

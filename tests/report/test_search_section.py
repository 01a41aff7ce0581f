"""A search on the page: its best trials, its charts, and a damaged `search.json`."""

import json

import pytest

from latentlab.report.reading.run_sets import read_sweep
from latentlab.report.reading.trials import read_search
from latentlab.report.write import write_report
from tests.report.run_folders import search_sweep
from tests.report.test_page import MARKUP, Tags

TWO = ("val/mse", "parameters")


def page_of(folder, **options):
    return Tags(write_report(folder, **options).read_text(encoding="utf-8"))


def charts(page):
    return [a["aria-label"] for tag, a in page.tags if tag == "svg" and "role" in a]


def classes(page, name):
    return [a["class"] for _, a in page.tags if name in a.get("class", "").split()]


def changed(folder, change):
    """Change the content of the folder's search.json; returns the folder."""
    content = json.loads((folder / "search.json").read_text())
    change(content)
    (folder / "search.json").write_text(json.dumps(content))
    return folder


def test_the_best_trial_is_named_with_what_was_drawn_and_a_link(tmp_path):
    page = page_of(search_sweep(tmp_path))
    best = min(read_search(tmp_path)[0].complete, key=lambda trial: trial.values[0])
    assert f"Best trial: {best.number}, val/mse 0.1" in page.text
    assert f"lr={best.params['optimizer.lr']:.4g}, latent_dim={best.params['model.latent_dim']}, widths=" in page.text
    assert "On the test set: MSE 0.1" in page.text
    hrefs = [a["href"] for tag, a in page.tags if tag == "a"]
    assert any(href.startswith(f"./{best.number:04d}%2Coptimizer.lr") for href in hrefs)
    assert "20 trials: 14 complete, 4 pruned, 2 failed" in page.text


def test_history_importance_and_parallel_axes_are_drawn(tmp_path):
    page = page_of(search_sweep(tmp_path))
    assert charts(page)[:3] == [
        "val/mse by trial, 14 complete of 20",
        "Importance for val/mse of 2 keys",
        "val/mse against lr, widths, latent_dim, 14 trials",  # the most important first
    ]
    assert len(classes(page, "bar")) == 2
    assert len(classes(page, "strand")) == 14
    assert len(classes(page, "chosen")) == 1
    assert (len(classes(page, "mark")), len(classes(page, "step"))) == (6, 1)


def test_of_several_objectives_only_trials_that_no_other_dominates_are_best(tmp_path):
    page = page_of(search_sweep(tmp_path, objectives=TWO))
    assert charts(page)[0] == "parameters against val/mse, 14 trials"
    assert "No other trial is at least as good in every objective as one of these" in page.text
    search, _ = read_search(tmp_path)
    best = search.best()
    assert 1 < len(best) < 14
    for one in best:
        for other in search.complete:
            better = [a <= b for a, b in zip(other.values, one.values, strict=True)]
            assert not all(better) or other.values == one.values


def test_an_objective_can_be_maximised(tmp_path):
    search, _ = read_search(search_sweep(tmp_path, objectives=("elbo",)))
    assert search.best()[0].values[0] == max(trial.values[0] for trial in search.complete)


def test_equal_draws_are_named_once(tmp_path):
    folder = changed(search_sweep(tmp_path), lambda content: content["trials"].append(content["trials"][0]))
    changed(folder, lambda content: content["trials"][-1].update(number=20))
    search, notes = read_search(folder)
    assert (len(search.trials), notes) == (21, [])
    assert sum(trial.params == search.trials[0].params for trial in search.front((0,))) <= 1


def test_the_other_sections_are_adapted_to_a_search(tmp_path):
    page = page_of(search_sweep(tmp_path, 60))
    assert "one seed has no interval" not in page.text  # the best of many on the test set is not a finding
    assert "differences" not in page.ids()
    assert "The pictures of the 6 best groups of" in page.text
    drawn = charts(page)
    assert sum(label.startswith("MSE against lr") for label in drawn) == 1  # per key, and no parallel axes
    assert "- best trial" in (tmp_path / "report.md").read_text()


def test_groups_are_ordered_by_the_objective(tmp_path):
    runs = read_sweep(search_sweep(tmp_path))
    write_report(tmp_path)
    rows = (tmp_path / "report_groups.csv").read_text().splitlines()
    best = runs.search.best()[0]
    assert f"lr={best.params['optimizer.lr']:.4g}" in rows[1]


def test_failed_trials_are_problems_and_pruned_ones_are_not(tmp_path):
    page = page_of(search_sweep(tmp_path))
    problems = page.text[page.text.index("Failed, unfinished") : page.text.index("Learning curves")]
    assert "0006," in problems
    assert "0004," not in problems


def test_no_text_of_a_search_becomes_markup(tmp_path):
    page = page_of(search_sweep(tmp_path / "s", objectives=(MARKUP, "parameters"), markup=MARKUP))
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert MARKUP in page.text
    assert "<script>" not in (tmp_path / "s" / "report.md").read_text()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"objectives": {}, "trials": []}',
        '{"objectives": {"a": "less"}, "trials": []}',
        '{"objectives": {"a": ["minimize"]}, "trials": []}',
        '{"objectives": {"a": "minimize"}, "trials": {}}',
        "[" * 100_000,
    ],
)
def test_a_damaged_search_is_named_and_the_runs_are_compared(tmp_path, content):
    folder = search_sweep(tmp_path, 2)
    (folder / "search.json").write_text(content)
    page = page_of(folder)
    assert "search.json is damaged" in page.text
    assert "the search is not shown" in page.text
    assert "search" not in page.ids()
    assert "groups" in page.ids()


@pytest.mark.parametrize(
    "damage",
    [
        {"number": "1"},
        {"number": -1},
        {"number": True},
        {"number": 1},  # of another trial
        {"state": "splendid"},
        {"state": ["complete"]},
        {"params": None},
        {"params": {f"k{k}": 1 for k in range(1000)}},
        {"values": None},
        {"values": [1.0, 2.0]},
        {"values": [float("nan")]},
        {"values": ["low"]},
        {"values": 5},
    ],
)
def test_a_damaged_trial_is_skipped(tmp_path, damage):
    folder = changed(search_sweep(tmp_path, 3), lambda content: content["trials"][0].update(damage))
    search, notes = read_search(folder)
    assert len(search.trials) == 2
    assert notes == ["search.json is damaged (1 of 3 trials were skipped)"]
    assert notes == list(read_sweep(folder).notes)


@pytest.mark.parametrize("name", ["../outside", "/", "", 5, None, "gone", "x" * 5000, "a\0b"])
def test_a_trial_without_its_run_has_no_link(tmp_path, name):
    def lose(content):
        for trial in content["trials"]:
            trial["folder"] = name

    page = page_of(changed(search_sweep(tmp_path, 3), lose))
    start = page.tags.index(("section", {"id": "search"}))
    end = page.tags.index(("section", {"id": "groups"}))
    assert not any(tag == "a" for tag, _ in page.tags[start:end])


@pytest.mark.parametrize("importance", [None, [], {"val/mse": None}, {"val/mse": {"a": "b", "c": None, "d": -1}}])
def test_without_importance_the_other_charts_are_drawn(tmp_path, importance):
    page = page_of(changed(search_sweep(tmp_path, 3), lambda content: content.update(importance=importance)))
    assert not any(label.startswith("Importance") for label in charts(page))
    assert any(label.startswith("val/mse by trial") for label in charts(page))


@pytest.mark.parametrize("state", ["running", "fail", "pruned"])
def test_a_search_without_a_result(tmp_path, state):
    def stop(content):
        for trial in content["trials"]:
            trial.update(state=state, values=None)

    page = page_of(changed(search_sweep(tmp_path, 6), stop))
    assert "No trial is complete." in page.text


def test_a_search_without_a_trial(tmp_path):
    page = page_of(changed(search_sweep(tmp_path, 3), lambda content: content.update(trials=[])))
    assert "No trial is complete. 0 trials" in page.text


def test_params_of_any_kind_and_missing_ones_can_be_drawn(tmp_path):
    values = [None, True, "", "—", [1, [2]], {"a": 1}, 1e308, -1e308, 10**400, float("inf"), "1e-3", "nan", "1e999", 0]

    def scramble(content):
        for k, trial in enumerate(content["trials"]):
            trial["params"] = {
                "x": values[k % len(values)],
                f"only{k % 3}": 0.1 * k,
                **({} if k % 4 else {"net.y": 1e-5}),
            }

    page = page_of(changed(search_sweep(tmp_path, 40), scramble))
    assert "nan" not in " ".join(str(a.get("d", "")) + str(a.get("cx", "")) for _, a in page.tags)
    assert len(classes(page, "strand")) > 20


def test_options_that_are_numbers_are_read_as_numbers(tmp_path):
    def text(content):
        for k, trial in enumerate(content["trials"]):
            trial["params"] = {"optimizer.lr": ("1e-2", "1e-06")[k % 2]}

    search, _ = read_search(changed(search_sweep(tmp_path), text))
    assert {trial.params["optimizer.lr"] for trial in search.trials} == {0.01, 1e-06}

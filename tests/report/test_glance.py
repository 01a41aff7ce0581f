"""The first screen: questions answered by one table over the groups, and pictures side by side."""

import json
import re
from pathlib import Path

import pytest

from latentlab.evaluation.suites import SUITES
from latentlab.report.content import Content
from latentlab.report.questions import PICTURES, QUESTIONS
from latentlab.report.reading.run_sets import read_sweep
from latentlab.report.write import write_report
from tests.documented_metrics import pattern, sections, undocumented
from tests.report.run_folders import beta_sweep, search_sweep, write_run, write_sweep
from tests.report.test_page import Tags

DOCS = Path(__file__).parents[2] / "docs" / "comparison.md"
FULL = {"suite": "full", "skipped": {}}
LEFT_OUT = "its encoder is conditioned on the label of every image"
TARGETS = {"AE": "latentlab.models.ae.AE", "CVAE": "latentlab.models.cvae.CVAE", "VAE": "latentlab.models.vae.VAE"}


def sweep_of(folder, metrics, evaluation=FULL, pictures=()):
    """A sweep of variants. metrics: {variant: {metric: its value for each seed}}."""
    jobs = []
    for name, own in metrics.items():
        for seed in range(len(next(iter(own.values())))):
            jobs.append(f"model={name},seed={seed}")
            of_seed = {metric: values[seed] for metric, values in own.items()}
            changes = {"model._target_": TARGETS[name]}
            write_run(folder / jobs[-1], of_seed, seed, changes, pictures=pictures, evaluation=evaluation)
    return write_sweep(folder, jobs, "variants")


def glance_of(folder):
    return Content.of(read_sweep(folder), None).glance


def rows_of(folder):
    return {row.question.text: row for row in glance_of(folder).rows}


def page_of(folder):
    return Tags(write_report(folder).read_text(encoding="utf-8"))


def test_the_first_screen_takes_the_place_of_the_sentences(tmp_path):
    page = page_of(sweep_of(tmp_path, {"AE": {"mse": (0.01, 0.011)}, "VAE": {"mse": (0.05, 0.051)}}))
    assert page.ids()[:2] == ["glance", "glance-table"]
    assert page.ids().index("groups") > 1
    assert "verdict" not in page.ids()
    assert "Which reconstructs best? MSE (per pixel) ↓ AE the intervals are apart" in page.text
    assert "Whose code needs few labels?" not in page.text  # no run has the metric


@pytest.mark.parametrize("count", [1, 7])
def test_one_group_and_more_groups_than_fit_a_screen_have_the_sentences(tmp_path, count):
    folder = beta_sweep(tmp_path, tuple(float(k) for k in range(1, count + 1)), (0, 1))
    assert glance_of(folder) is None
    assert "verdict" in page_of(folder).ids()


def test_a_search_has_no_first_screen(tmp_path):
    assert glance_of(search_sweep(tmp_path, count=4)) is None


def test_samples_are_those_of_each_variants_own_sampler(tmp_path):
    metrics = {"AE": {"frechet_gaussian": (9.0, 9.1)}, "VAE": {"frechet_prior": (5.0, 5.1)}}
    row = rows_of(sweep_of(tmp_path, metrics))["Which generates best?"]
    assert [entry.mean for entry in row.found.summaries] == pytest.approx([9.05, 5.05])
    assert row.found.best == 1


@pytest.mark.parametrize(
    ("mse", "best", "answer"),
    [
        ({"AE": (1.0, 1.1), "VAE": (9.0, 9.1)}, 0, "the intervals are apart"),
        ({"AE": (10.0, 20.0, 30.0), "VAE": (12.0, 22.1, 32.2)}, 0, "paired differences exclude 0"),
        ({"AE": (1.0, 2.0), "VAE": (1.1, 2.3)}, None, "no difference shown"),
        (
            {"AE": (1.0, 2.0, 3.0), "CVAE": (99.0, 99.1, 99.2), "VAE": (1.2, 1.7, 3.3)},
            *(None, "best mean: AE; no difference shown from VAE"),
        ),
        ({"AE": (2.0,), "VAE": (1.0,)}, None, "best value: VAE; one seed: no interval"),
        ({"AE": (1.0,), "VAE": (1.0,)}, None, "best value: AE and VAE; one seed: no interval"),
        ({"AE": (1.0, 1.1), "VAE": (9.0,)}, None, "best mean: AE; one seed of the others: no interval"),
    ],
    ids=["apart", "paired", "undecided", "undecided of three", "one seed", "equal", "one seed of the other"],
)
def test_an_answer_is_one_group_only_where_it_differs_from_all_others(tmp_path, mse, best, answer):
    row = rows_of(sweep_of(tmp_path, {name: {"mse": values} for name, values in mse.items()}))[
        "Which reconstructs best?"
    ]
    assert (row.found.best, row.answer) == (best, answer)


def test_a_metric_without_a_better_direction_has_its_range_for_an_answer(tmp_path):
    folder = sweep_of(tmp_path, {"AE": {"mse": (0.1,)}, "VAE": {"mse": (0.2,)}})
    assert rows_of(folder)["How large is it?"].answer == "all alike"
    file = folder / "model=VAE,seed=0" / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"parameters": 2500}))
    row = rows_of(folder)["How large is it?"]
    assert (row.found.best, row.answer) == (None, "1\u202f000 (AE) to 2\u202f500 (VAE)")


def test_a_missing_metric_is_a_dash_with_the_reason_that_the_run_gives(tmp_path):
    metrics = {"AE": {"few_labels_100_spreading_error": (0.1, 0.11)}, "CVAE": {"mse": (0.1, 0.1)}}
    folder = sweep_of(tmp_path, metrics, {"suite": "full", "skipped": {"few labels": LEFT_OUT}})
    row = rows_of(folder)["Whose code needs few labels?"]
    assert (row.absent, row.answer) == (("", LEFT_OUT), "AE alone has this metric")
    assert f"— {LEFT_OUT}" in page_of(folder).text
    assert f"— ({LEFT_OUT})" in (folder / "report.md").read_text()


@pytest.mark.parametrize(
    ("suite", "is_missing"), [("none", (True, True)), ("quick", (False, True)), ("full", (False, False))]
)
def test_a_line_names_what_was_not_measured_and_the_command_that_does_it(tmp_path, suite, is_missing):
    metrics = {"AE": {"mse": (0.1, 0.11)}, "VAE": {"mse": (0.2, 0.21)}}
    folder = sweep_of(tmp_path, metrics, {"suite": suite, "skipped": {}})
    line = glance_of(folder).missing
    assert ("Whose space is complete?" in line, "Whose code needs few labels?" in line) == is_missing
    assert ("The sweep's command with evaluate=full sweep.name=variants measures them." in line) == any(is_missing)
    assert "Which reconstructs best?" not in line
    assert line in page_of(folder).text


def test_likelihoods_are_compared_only_where_every_group_has_one(tmp_path):
    both = {name: {"elbo": (-100.0, -101.0)} for name in ("CVAE", "VAE")}
    question = "Which has the highest ELBO?"
    assert question in rows_of(sweep_of(tmp_path / "both", both))
    assert question not in rows_of(sweep_of(tmp_path / "one", both | {"AE": {"mse": (1.0, 1.1)}}))


def test_a_decoder_that_is_given_the_label_does_not_answer_whose_space_is_continuous(tmp_path):
    """Its images keep the label whatever the code."""
    changes = {"VAE": (0.125, 0.126), "AE": (0.205, 0.206), "CVAE": (0.01, 0.02)}
    metrics = {name: {"perturbed_code_label_changes": values} for name, values in changes.items()}
    row = rows_of(sweep_of(tmp_path, metrics))["Whose space is continuous?"]
    assert [entry.mean for entry in row.found.summaries] == pytest.approx([0.2055, None, 0.1255])
    assert (row.found.best, row.absent[1]) == (2, "its decoder is given the label")


def test_runs_on_different_data_get_no_answer(tmp_path):
    for seed in (0, 1):
        for size in (8, 28):
            write_run(tmp_path / f"{size},{seed}", {"mse": size + 0.1 * seed}, seed, {"data.image_size": size})
    row = rows_of(tmp_path)["Which reconstructs best?"]
    assert (row.found.best, row.answer) == (None, "not compared: different data")


def test_each_picture_is_on_the_page_once_beside_those_of_the_other_groups(tmp_path):
    names = ("evaluation_best_to_worst", "reconstructions", "samples", "evaluation_codes", "evaluation_restored")
    metrics = {"VAE": {"mse": (0.1,)}, "AE": {"mse": (0.2,)}}
    folder = sweep_of(tmp_path, metrics, pictures=names)
    pictures = [(heading, key, [p.group for p in row]) for heading, key, row in glance_of(folder).pictures]
    assert pictures == [
        ("Reconstructions", "evaluation_best_to_worst", [0, 1]),
        ("Samples", "samples", [0, 1]),
        ("Latent space", "evaluation_codes", [0, 1]),
        ("Denoised", "evaluation_restored", [0, 1]),
    ]
    page = page_of(folder)
    shown = [a["alt"] for tag, a in page.tags if tag == "img" and a["alt"]]
    assert sorted(shown) == sorted(f"{key.replace('_', ' ')} of {name}" for key in names for name in metrics)
    assert shown[0] == "evaluation best to worst of AE"  # in the order of the table's columns
    assert shown[-2:] == ["reconstructions of VAE", "reconstructions of AE"]  # the best first


def test_a_picture_that_every_group_has_comes_before_one_of_some(tmp_path):
    for name, pictures in (("AE", ("evaluation_codes", "latent_plane")), ("VAE", ("latent_plane",))):
        changes = {"model._target_": TARGETS[name]}
        write_run(tmp_path / name, {"mse": 0.1}, 0, changes, pictures=pictures)
    ((_, key, _),) = glance_of(tmp_path).pictures
    assert key == "latent_plane"


def test_markdown_has_the_same_table(tmp_path):
    folder = sweep_of(tmp_path, {"AE": {"mse": (0.01, 0.011)}, "VAE": {"mse": (0.05, 0.051)}})
    write_report(folder)
    lines = (folder / "report.md").read_text().splitlines()
    assert "| question | answer | AE | VAE |" in lines
    best = "**0.01050 ± 0.00635** | 0.05050 ± 0.00635"
    assert f"| Which reconstructs best? MSE (per pixel) ↓ | AE: the intervals are apart | {best} |" in lines


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_a_question_is_answered_by_metrics_with_the_direction_of_their_documentation(question):
    assert not undocumented(question.metrics)
    for metric in question.metrics:
        name = metric.removeprefix("test/")
        (text,) = [text for names, text in sections().items() if any(pattern(own).fullmatch(name) for own in names)]
        direction = re.search(r"\*\*Better\*\*: (lower|higher|none)", text)[1]
        assert question.measure.better == (None if direction == "none" else direction)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_a_question_is_documented_with_its_metrics(question):
    (line,) = [line for line in DOCS.read_text().splitlines() if line.startswith("|") and question.text in line]
    assert all(f"`{metric.removeprefix('test/')}`" in line for metric in question.metrics)


def test_the_pictures_of_an_evaluation_are_those_of_the_full_suite():
    drawn = {f"evaluation_{name}" for name in SUITES["full"].pictures}
    assert {key for _, keys in PICTURES for key in keys if key.startswith("evaluation_")} <= drawn


def test_a_sweep_that_was_renamed_has_its_new_name(tmp_path):
    metrics = {"AE": {"mse": (0.1, 0.11)}, "VAE": {"mse": (0.2, 0.21)}}
    folder = sweep_of(tmp_path / "outputs" / "sweeps" / "variants", metrics, {"suite": "quick", "skipped": {}})
    folder = folder.rename(folder.with_name("renamed"))
    assert read_sweep(folder).name == "renamed"
    assert "evaluate=full sweep.name=renamed measures them." in glance_of(folder).missing

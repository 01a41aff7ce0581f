"""The report's files: their content, and that no text of a run becomes markup."""

import csv
import json
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from latentlab.errors import UserError
from latentlab.report.comparable import Comparability
from latentlab.report.comparisons import compare, sentence
from latentlab.report.pictures import gallery
from latentlab.report.reading.groups import grouped
from latentlab.report.reading.run_sets import read_sweep
from latentlab.report.write import write_report, write_report_of_runs
from tests.report.run_folders import beta_sweep, write_run, write_sweep

MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Tags(HTMLParser):
    """Every tag with its attributes, and the text outside of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self._skipped = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._skipped += tag in ("script", "style")

    def handle_endtag(self, tag):
        self._skipped -= tag in ("script", "style")

    def handle_data(self, data):
        if not self._skipped:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split()).replace(" ,", ",")

    def ids(self):
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


def page_of(folder, **options):
    return Tags(write_report(folder, **options).read_text(encoding="utf-8"))


def test_a_sweep_of_one_key(tmp_path):
    page = page_of(beta_sweep(tmp_path))
    assert "betas" in page.text
    assert "9 runs of 3 configs: 9 complete" in page.text
    order = ["glance", "groups", "differences", "curves", "settings", "rate", "cost", "runs"]
    assert [name for name in page.ids() if name in order] == order
    assert "pictures" not in page.ids()  # all are at a glance
    marked = [attributes for tag, attributes in page.tags if tag == "td" and "best" in attributes.get("class", "")]
    assert len(marked) == 2 + 3  # at a glance mse and elbo, then with bce: kl and the unknown metric have no direction
    assert sum(tag == "img" for tag, _ in page.tags) == 2 * 3 + 1  # and the enlarged one
    assert all(attributes["aria-label"] for tag, attributes in page.tags if tag == "svg" and "role" in attributes)


def test_the_page_requests_nothing_and_runs_only_its_own_script(tmp_path):
    page = page_of(beta_sweep(tmp_path))
    for _, attributes in page.tags:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:").startswith("data:")
        assert re.match(r"#|\./|data:", attributes.get("href", "#"))
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_the_same_metrics_as_csv_and_markdown(tmp_path):
    write_report(beta_sweep(tmp_path))
    with (tmp_path / "report.csv").open(newline="") as stream:
        runs = list(csv.DictReader(stream))
    assert len(runs) == 9
    assert float(runs[0]["test/mse"]) == 0.005
    with (tmp_path / "report_groups.csv").open(newline="") as stream:
        groups = list(csv.DictReader(stream))
    assert [row["model.beta"] for row in groups] == ["0.5", "1", "2"]
    assert float(groups[0]["test/mse mean"]) == pytest.approx(0.0051)
    assert [row["test/mse best"] for row in groups] == ["1", "0", "0"]
    assert "| 0.5 | 3 of 3 | **0.00510 ± 0.00025** |" in (tmp_path / "report.md").read_text()


def test_no_text_of_a_run_becomes_markup(tmp_path):
    folder, markup = tmp_path / "sweep", MARKUP.replace("/", "")
    write_run(folder / markup, {"mse": 1.0, MARKUP: 1.0}, 0, {"net.activation": MARKUP}, pictures=("a" + markup,))
    write_run(folder / "other", {"mse": 1.0}, 0, {"net.activation": "=cmd()"})
    write_run(folder / "third", None, 1, status="failed", reason=MARKUP)
    write_sweep(folder, [markup, "other", "third"], MARKUP)
    page = page_of(folder)
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert MARKUP in page.text
    assert markup in page.text
    assert "<script>" not in (folder / "report.md").read_text()
    assert "'=cmd()" in (folder / "report.csv").read_text()


def test_names_that_utf_8_cannot_encode_are_written(tmp_path):
    folder = write_sweep(tmp_path, ["plain"], "lone \ud800 surrogate")
    write_run(tmp_path / "plain", None, status="failed", reason="half \udcff a letter\nand a line")
    assert "half" in page_of(folder).text


def test_links_to_the_run_folders_are_relative_to_the_page(tmp_path):
    sweep = beta_sweep(tmp_path / "sweep", (1.0,), (0,))
    page = page_of(sweep, output=tmp_path / "else" / "where")
    assert any(a.get("href") == "./../../sweep/model.beta%3D1.0%2Cseed%3D0/" for _, a in page.tags)
    assert (tmp_path / "else" / "where" / "report.csv").is_file()
    assert not (sweep / "report.html").exists()


def test_pages_of_the_latent_space_are_linked_where_they_are(tmp_path):
    sweep = beta_sweep(tmp_path / "sweep", (1.0,), (0, 1))
    shown = [sweep / "explore.html", sweep / "model.beta=1.0,seed=1" / "explore.html"]
    links = ["./explore.html", "./model.beta%3D1.0%2Cseed%3D1/explore.html"]
    assert not {a.get("href") for _, a in page_of(sweep).tags} & {*links}
    for file in shown:
        file.touch()
    assert [a["href"] for _, a in page_of(sweep).tags if a.get("href", "").endswith("explore.html")] == links


def test_failed_missing_and_damaged_runs_are_named(tmp_path):
    folder = beta_sweep(tmp_path / "sweep")
    write_run(folder / "bad", None, 5, status="failed", reason="NonFiniteObjective: train/mse")
    write_run(folder / "cut", None, 6, status="pruned", reason="behind the median")
    (folder / "model.beta=1.0,seed=0" / "metrics.json").write_text("{")
    (folder / "model.beta=1.0,seed=1" / "history.jsonl").write_text("nonsense\n{}\n")
    (folder / "model.beta=0.5,seed=0" / "figures" / "samples.png").write_bytes(b"\x89PNG no more")
    jobs = [job["folder"] for job in json.loads((folder / "sweep.json").read_text())["jobs"]]
    write_sweep(folder, [*jobs, "bad", "cut", "gone"])
    page = page_of(folder)
    assert "8 complete, 1 failed, 1 pruned, 1 missing, 1 damaged" in page.text
    for why in ("train/mse", "behind the median", "metrics.json is damaged", "history.jsonl is damaged", "samples.png"):
        assert why in page.text
    assert "2 of 5" in page.text


@pytest.mark.parametrize("metrics", [None, {}, {"mse": None}])
def test_a_sweep_without_any_metric(tmp_path, metrics):
    status = "complete" if metrics is not None else "interrupted"
    write_run(tmp_path / "a", metrics, status=status, reason="signal 15")
    page = page_of(write_sweep(tmp_path, ["a", "b"]))
    assert "b missing its folder holds no run" in page.text


def test_nothing_but_missing_runs(tmp_path):
    assert "No run has metrics to compare." in page_of(write_sweep(tmp_path, ["a", "b"])).text


def test_one_run(tmp_path):
    write_run(tmp_path / "only", {"mse": 0.5, "kl": 1.0, "elbo": -3.0})
    page = Tags(write_report_of_runs([tmp_path / "only"], tmp_path / "out").read_text())
    assert "MSE: 0.5 (1 seed)." in page.text
    assert not any(" best" in a.get("class", "") for t, a in page.tags if t == "td")


@pytest.mark.parametrize("keys", [["model.beta"], ["model.beta", "model.latent_dim"], ["net.activation"]])
def test_varied_keys_against_metrics(tmp_path, keys):
    choices = {"model.beta": (0.1, 1, 10), "model.latent_dim": (2, 4), "net.activation": ("relu", "silu")}
    for first in choices[keys[0]]:
        for second in choices[keys[1]] if len(keys) > 1 else (None,):
            changes = {keys[0]: first} | ({keys[1]: second} if len(keys) > 1 else {})
            write_run(tmp_path / f"{first},{second}", {"mse": 1.0}, changes=changes)
    labels = [a["aria-label"] for t, a in page_of(tmp_path).tags if t == "svg" and "role" in a]
    assert any(label.startswith("MSE by" if len(keys) == 2 else "MSE against") for label in labels)


def test_many_keys_are_drawn_on_parallel_axes(tmp_path):
    for k in range(9):
        changes = {
            "model.beta": k % 3,
            "model.latent_dim": 2 ** (k // 3),
            "net.activation": "relu" if k % 2 else "silu",
        }
        write_run(tmp_path / str(k), {"mse": float(k)}, changes=changes)
    labels = [a["aria-label"] for t, a in page_of(tmp_path).tags if "wide" in a.get("class", "")]
    assert labels == ["MSE against beta, latent_dim, activation, 9 groups"]


def test_a_baseline_is_chosen_by_name(tmp_path):
    folder = beta_sweep(tmp_path)
    assert "minus beta=2" in page_of(folder, baseline="beta=2").text
    with pytest.raises(UserError, match=r"baseline: no group 'beta=3'; expected one of 'beta=0\.5'"):
        write_report(folder, baseline="beta=3")


def test_runs_on_different_data_are_not_ranked(tmp_path):
    for seed in (0, 1):
        for size in (8, 28):
            write_run(tmp_path / f"{size},{seed}", {"mse": size + 0.1 * seed}, seed, {"data.image_size": size})
    page = page_of(tmp_path)
    assert "different data" in page.text
    assert "different data" in (tmp_path / "report.md").read_text()
    assert "is best" not in page.text


@pytest.mark.parametrize(("error", "is_said"), [(0.05, False), (0.1, False), (0.24, True)])
def test_the_page_says_that_the_reference_classifier_errs_often(tmp_path, error, is_said):
    for seed, own in ((0, 0.02), (1, error)):
        write_run(tmp_path / f"{seed}", {"mse": 0.1, "reference_classifier_error": own}, seed)
    line = "The reference classifier errs on 24 % of the test images"
    assert (line in page_of(tmp_path).text) == is_said
    assert (line in (tmp_path / "report.md").read_text()) == is_said


def test_the_order_of_the_jobs_changes_nothing(tmp_path):
    folder = beta_sweep(tmp_path)
    before = write_report(folder).read_text()
    content = json.loads((folder / "sweep.json").read_text())
    content["jobs"].reverse()
    (folder / "sweep.json").write_text(json.dumps(content))
    after = write_report(folder).read_text()
    assert before[: before.index('id="runs"')] == after[: after.index('id="runs"')]


def test_a_verdict_names_the_groups_without_a_shown_difference(tmp_path):
    for seed, (a, b) in enumerate([(1.0, 1.2), (2.0, 1.7), (3.0, 3.3)]):
        write_run(tmp_path / f"a{seed}", {"mse": a}, seed)
        write_run(tmp_path / f"b{seed}", {"mse": b}, seed, {"model.beta": 2})
    groups = grouped(read_sweep(tmp_path).records).groups
    (comparison,) = compare(groups, None, Comparability())
    assert sentence(comparison, groups) == "MSE: no difference shown between beta=1, 2.0 ± 2.5 (3 seeds), and beta=2."


def test_bold_differences_and_the_verdict_follow_one_rule(tmp_path):
    """beta=1 differs from beta=0.5 on common seeds as the only comparison (p = 0.035), but not as one of two."""
    for beta, values in ((0.5, (10.0, 20.0, 30.0)), (1.0, (12.0, 23.0, 34.0)), (2.0, (1000.0, 1010.0, 1020.0))):
        for seed, value in enumerate(values):
            write_run(tmp_path / f"{beta}_{seed}", {"mse": value}, seed, {"model.beta": beta})
    page = page_of(write_sweep(tmp_path, [folder.name for folder in tmp_path.iterdir()]))
    assert "best mean: beta=0.5; no difference shown from beta=1" in page.text
    bold = [attributes for tag, attributes in page.tags if tag == "td" and "apart" in attributes.get("class", "")]
    assert [attributes["title"] for attributes in bold] == ["3 common seeds, differs"]
    assert "Bonferroni" in page.text
    assert "Bonferroni" in (tmp_path / "report.md").read_text()


def test_pictures_keep_to_their_budget_and_the_page_notes_what_is_left_out(tmp_path):
    folder = beta_sweep(tmp_path)
    groups = grouped(read_sweep(folder).records).groups
    found = gallery(groups, range(3), budget=300)
    assert sum(len(picture.shown.source) for _, row in found.rows for picture in row) <= 300
    assert "were left out" in found.notes[0]


@pytest.mark.parametrize(("budget", "shown"), [(2**20, [1, 9, 17, 24, 32, 40]), (1000, [1, 17, 32]), (250, [])])
def test_pictures_of_epochs_are_spread_evenly_and_keep_to_the_budget_too(tmp_path, monkeypatch, budget, shown):
    monkeypatch.setattr("latentlab.report.pictures.MAX_FRAMES", 6)
    write_run(tmp_path / "a", {"mse": 1.0}, pictures=("samples",), epochs=tuple(range(1, 41)))
    found = gallery(grouped(read_sweep(tmp_path).records).groups, [0], budget=budget)
    ((_, (picture,)),) = found.rows
    assert [epoch for epoch, _ in picture.frames] == shown
    assert sum(len(own.source) for own in (picture.shown, *(frame for _, frame in picture.frames))) <= budget
    assert found.notes == [f"{40 - len(shown)} pictures of epochs in between were left out"]


def test_the_page_shows_every_command_of_a_sweep(tmp_path):
    page = page_of(beta_sweep(tmp_path))
    assert "latentlab train -m model.beta=1,2 seed=0" in page.text
    assert "latentlab train -m 'net.widths=[16]' seed=1" in page.text


def test_pictures_are_of_one_seed_that_all_groups_have(tmp_path):
    for beta, seeds in ((1.0, (0, 2, 3)), (2.0, (3, 2))):
        for seed in seeds:
            changes = {"model.beta": beta}
            write_run(tmp_path / f"{beta},{seed}", {"mse": beta}, seed, changes, pictures=("samples",))
    groups = grouped(read_sweep(tmp_path).records).groups
    ((key, row),) = gallery(groups, [0, 1]).rows
    assert key == "samples"
    assert [picture.note for picture in row] == ["seed 2", "seed 2"]


def test_a_picture_of_too_many_pixels_is_refused(tmp_path):
    run = write_run(tmp_path / "a", {"mse": 1.0}, pictures=("samples",))
    Image.new("1", (9000, 9000)).save(run / "figures" / "bomb.png")
    page = page_of(tmp_path)
    assert "bomb.png is damaged" in page.text


@pytest.mark.parametrize("keys", [["model.beta"], ["model.beta", "model.latent_dim"]])
@pytest.mark.parametrize("further", [[], [True, None, "", "—", [1, [2]], {"a": 1}]], ids=["numbers", "all"])
def test_settings_of_any_kind_can_be_drawn(tmp_path, keys, further):
    values = [float("nan"), float("inf"), -1e308, 10**400, 0, 2.0, *further]
    for index, value in enumerate(values):
        write_run(tmp_path / str(index), {"mse": 1e149 * (index - 3)}, changes=dict.fromkeys(keys, value))
    page = page_of(tmp_path)
    assert f"{len(values)} complete" in page.text
    assert "nan" not in " ".join(str(a.get("d", "")) + str(a.get("cx", "")) for _, a in page.tags)

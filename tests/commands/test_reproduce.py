"""`latentlab reproduce`: recipes are trained over seeds, resumed, written beside published values, and compared."""

import json

import pytest

from tests.called import Done, called

SMALL = ["data=digits", "data.image_size=8", "trainer=smoke", "logger=none", "sweep.report=false"]


def reproduce(folder, *arguments: str) -> Done:
    return called("reproduce", *arguments, folder=folder)


@pytest.mark.slow
def test_a_page_is_written_continued_and_compared_with(tmp_path):
    done = reproduce(tmp_path, "pca", *SMALL, "seeds=0")
    assert done.returncode == 0, done.stderr
    page, kept = tmp_path / "docs" / "results.md", tmp_path / "docs" / "results.json"
    assert "| [pca](#pca) |" in page.read_text()
    assert "one seed" in page.read_text()
    assert "Not measured yet: " in page.read_text()
    assert (tmp_path / "docs" / "results" / "pca.png").read_bytes().startswith(b"\x89PNG")

    again = reproduce(tmp_path, "pca", *SMALL, "seeds=0,1")  # what is there already is not trained again
    assert "2 jobs, 1 of them complete" in again.stdout
    content = json.loads(kept.read_text())
    (values,) = content["pca"]["metrics"]
    assert values.keys() == {"0", "1"}
    assert values["0"] != values["1"]

    before = page.read_text()
    content["pca"]["metrics"] = [{seed: value / 10 for seed, value in values.items()}]
    kept.write_text(json.dumps(content))
    worse = reproduce(tmp_path, "pca", *SMALL, "seeds=0", f"compare={kept}")
    assert worse.returncode == 1
    assert "0 of them complete" in worse.stdout  # trained anew
    assert "1 of 1 metrics are worse than recorded" in worse.stdout
    assert page.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["pac"], "pac: no such recipe; did you mean pca?"),
        (["minutes=x"], "minutes: expected a number, found x"),
        (["pca", "minutes=.01"], "minutes: expected at least 0."),
        (["pca", "compare=missing.json"], "compare: expected metrics of pca in missing.json"),
        (["--multirun"], "--multirun: latentlab reproduce takes no flags"),
        (["pca", "trainer.max_epoch=1"], "trainer.max_epoch"),
        (["pca", "page=results.md/results.md"], "page: "),
        (
            ["pca", "page=results.json"],
            "page: expected the name of a Markdown file, such as results.md, found ",
        ),
    ],
)
def test_a_mistake_is_one_line(tmp_path, arguments, error):
    (tmp_path / "results.md").write_text("")
    done = reproduce(tmp_path, *arguments, "data.root=nowhere")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: {error}")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "docs").exists()

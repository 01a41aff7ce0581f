"""The site of `make docs`: built from the sources alone, complete, and without anything from another server."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import latentlab
from latentlab.config.command_line import loader_of
from latentlab.config.option_help import option_help

ROOT = Path(__file__).parents[1]
SOURCES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "CITATION.cff",
    "conf",
    "docs",
    "examples",
    "mkdocs.yml",
    "pyproject.toml",
)


def build(folder: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """`mkdocs build --strict` of the checkout in that folder; no network can be reached."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere, "PYTHONPATH": str(ROOT / "src"), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy that may be changed; the package itself is that of this checkout."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / "src").symlink_to(ROOT / "src")
    return folder


@pytest.fixture(scope="module")
def site(checkout, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(checkout, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def text_of(page: Path) -> str:
    """Without markup."""
    text = re.sub(r"<[^>]+>", " ", page.read_text().replace("<wbr>", ""))
    return " ".join(html.unescape(text).split())


@pytest.mark.slow
def test_every_document_is_a_page(site):
    pages = {file.stem for file in (ROOT / "docs").glob("*.md")} | {"index", "contributing", "changelog"}
    assert {file.stem for file in site.glob("*.html")} == pages | {"404"}
    notebooks = {file.stem for file in (ROOT / "examples").glob("*.ipynb")}
    assert {file.stem for file in site.glob("tutorials/*.html")} == notebooks | {"index"}


@pytest.mark.slow
def test_nothing_is_fetched_from_another_server(site):
    for file in [*site.rglob("*.html"), *site.rglob("*.css")]:
        fetched = re.findall(
            r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=\"?(?:https?:)?//[^\" >]+", file.read_text()
        )
        fetched += re.findall(r"url\(['\"]?(?:https?:)?//[^)]+|@import[^;]+", file.read_text())
        assert not fetched, file


@pytest.mark.slow
def test_the_reference_has_every_key_of_every_option(site):
    groups = loader_of(None).groups
    for group, names in groups.options.items():
        if group in ("experiment", "sweep"):
            continue
        page = text_of(site / "reference" / f"{group.split('/')[0]}.html")
        for name in names:
            assert f"{group}={name}" in page
            for key in option_help(group, name, groups).keys:
                assert key.name in page


@pytest.mark.slow
def test_the_reference_of_an_option_is_its_help(site):
    page = text_of(site / "reference" / "model.html")
    for key in option_help("model", "vae", loader_of(None).groups).keys:
        meaning = key.meaning.replace("`", "")
        assert re.search(rf"{key.name} {re.escape(key.type)} {key.default} ", page)
        assert " ".join(meaning.split()) in page


@pytest.mark.slow
def test_every_name_of_the_package_is_on_the_page_of_the_python_interface(site):
    page = (site / "reference" / "python.html").read_text()
    headings = re.findall(r"<h2 id=\"([^\"]+)\"", page)
    assert {heading.rpartition(".")[2] for heading in headings} >= set(latentlab.__all__)
    assert "interpolate" in page  # of all variants
    assert 'such as "model=cvae"' in html.unescape(page)  # an argument


@pytest.mark.slow
def test_formulas_are_mathml(site):
    page = (site / "metrics.html").read_text()
    assert page.count("<math") > 100
    assert not re.search(r"arithmatex|\\\(|\\frac|\$\$", page)


@pytest.mark.slow
def test_search_is_local(site):
    entries = json.loads((site / "search" / "search_index.json").read_text())["docs"]
    assert {"metrics.html#free_bits", "reference/net.html#netmlp"} <= {entry["location"] for entry in entries}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        pytest.param(r"$\nowhere{x}$", ["nowhere"], marks=pytest.mark.long),
        (
            "[a](training.md#nowhere) [b](missing.md) [c](../conf/lost.yaml)",
            ["'#nowhere'", "missing.md", "lost.yaml", "forgotten.md"],
        ),
    ],
    ids=["formula", "links"],
)
def test_a_broken_link_or_formula_or_a_page_without_a_link_fails(checkout, tmp_path, broken, said):
    folder = shutil.copytree(checkout, tmp_path / "checkout", symlinks=True)
    with (folder / "docs" / "speed.md").open("a") as page:
        page.write(f"\n{broken}\n")
    (folder / "docs" / "forgotten.md").write_text("# A page that the navigation lacks\n")
    done = build(folder, tmp_path / "site")
    assert done.returncode != 0
    assert [text for text in said if text not in done.stdout + done.stderr] == []


def test_a_notebook_is_a_page():
    spec = spec_from_file_location("notebooks", ROOT / "docs" / "site" / "notebooks.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    outputs = [
        {"output_type": "stream", "text": ["\x1b[1mone\x1b[0m\n", "two\n"]},
        {"output_type": "display_data", "data": {"image/png": "aGk=\n", "text/plain": "<Figure>"}},
        {"output_type": "execute_result", "data": {"text/html": "<b>\n\n1</b>", "text/plain": "1"}},
        {"output_type": "execute_result", "data": {"text/plain": "```"}},
        {"output_type": "error"},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# A title\n", "Text"]},
        {"cell_type": "code", "source": "x = 1", "outputs": outputs},
        {"cell_type": "code", "source": "", "outputs": []},
        {"cell_type": "raw", "source": "left out"},
    ]
    parts = [
        *("# A title\nText", "```python\nx = 1\n```", "```text\none\ntwo\n```"),
        *('<img alt="output" src="data:image/png;base64,aGk=">', "<div>\n<b>\n1</b>\n</div>", "````text\n```\n````"),
    ]
    assert module.as_markdown(json.dumps({"cells": cells})) == "\n\n".join(parts) + "\n"

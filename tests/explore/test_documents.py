"""What the page links to, and what README shows of it."""

import re

from PIL import Image

from latentlab.explore.template import TEMPLATES
from tests.test_documents import ROOT, anchors


def test_the_page_links_to_headings_that_exist():
    template = (TEMPLATES / "explore.html").read_text()
    links = re.findall(r'docs\("([\w.]+)#([^"]+)"', template)
    assert len(links) > 4
    for page, anchor in links:
        assert anchor in anchors(ROOT / "docs" / page)


def test_the_animation_of_readme_is_small():
    file = ROOT / "docs" / "explore.gif"
    assert "docs/explore.gif" in (ROOT / "README.md").read_text()
    assert file.stat().st_size <= 1_500_000
    with Image.open(file) as picture:
        assert picture.n_frames > 30

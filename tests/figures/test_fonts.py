"""Characters that Matplotlib's own font lacks: drawn in a font of the machine, or said in one line."""

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from latentlab.figures import fonts
from latentlab.figures.fonts import drawn

KNOWN, UNKNOWN = "\U0010fff0", "\U0010fff1"  # of the private use area: no font has them


@pytest.fixture(autouse=True)
def a_machine_with_a_font_of_one_character(tmp_path, monkeypatch):
    """A full square for `KNOWN`."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 1000), (1000, 1000), (1000, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(KNOWN): "square"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": "Squares", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=1000)
    builder.setupPost()
    builder.save(tmp_path / "squares.ttf")
    monkeypatch.setattr(fontManager, "ttflist", [*fontManager.ttflist])
    fontManager.addfont(tmp_path / "squares.ttf")
    fonts._families_for.cache_clear()
    yield
    fonts._families_for.cache_clear()


def written(text, weight="normal") -> np.ndarray:
    """The grey levels of a figure of 100 x 100 pixels with the text."""
    figure = Figure(figsize=(1, 1), dpi=100, facecolor="white")
    figure.text(0.25, 0.25, text, size=36, weight=weight)
    return np.asarray(drawn(figure).buffer_rgba())[..., 0]


@pytest.mark.parametrize("weight", ["normal", "bold"])  # which the font does not have
def test_a_font_of_the_machine_has_them(weight, caplog, recwarn):
    square = written(KNOWN, weight)
    assert (square[30:70, 30:70] == 0).all(), "50 by 50 pixels from a quarter of the width and height on"
    assert not caplog.messages
    assert not [*recwarn]


def test_other_characters_stay_in_the_same_font():
    figure = Figure(figsize=(1, 1))
    texts = [figure.text(0, 0, "a"), figure.text(0, 0.5, KNOWN)]
    own = texts[0].get_fontfamily()
    drawn(figure)
    assert [text.get_fontfamily() for text in texts] == [[*own, "Squares"]] * 2


def test_one_that_no_font_has_is_said_in_one_line_and_once(caplog, recwarn):
    for _ in range(2):
        written(f"{KNOWN}{UNKNOWN}é")
    (line,) = caplog.messages
    assert line == (
        "pictures: no font of this machine has U+10FFF1; boxes stand in their place. Install one, such as Noto Sans CJK"
    )
    assert not [*recwarn]


def test_what_the_own_font_has_needs_no_other():
    figure = Figure(figsize=(1, 1))
    text = figure.text(0, 0, "Vögel, Ω")
    own = text.get_fontfamily()
    drawn(figure)
    assert text.get_fontfamily() == own

"""Fonts for characters that a figure's own font lacks, such as those of class names in Chinese."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

PLACEHOLDERS = "Last Resort"  # a font of Matplotlib's, which has a box for every character

log = logging.getLogger(__name__)


def drawn(figure: Figure) -> FigureCanvasAgg:
    """The figure drawn, in further fonts of this machine where it has characters that its own font lacks."""
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings(), _no_word_of_weights():
        warnings.filterwarnings("ignore", r"(?s)Glyph .* missing from font")  # one line says it, see `_families_for`
        canvas.draw()  # which is when the axes' tick labels are written
        texts = figure.findobj(Text)
        families = _families_for(frozenset(c for text in texts for c in text.get_text() if not c.isascii()))
        if families:
            for text in texts:
                text.set_fontfamily([*text.get_fontfamily(), *families])
            canvas.draw()
    return canvas


@contextmanager
def _no_word_of_weights() -> Iterator[None]:
    """Matplotlib logs each weight that a font does not have, as bold, and takes another."""
    chooser = logging.getLogger(font_manager.__name__)
    level = chooser.level
    chooser.setLevel(logging.ERROR)
    try:
        yield
    finally:
        chooser.setLevel(level)


@cache
def _families_for(characters: frozenset[str]) -> tuple[str, ...]:
    """The families of fonts that together have what the default font lacks; a warning where none has it."""
    missing = characters - _covered(findfont(FontProperties()))
    families: dict[str, None] = {}
    for font in sorted(fontManager.ttflist, key=_unlike_the_own):
        if missing and not font.name.startswith(PLACEHOLDERS) and (found := missing & _covered(font.fname)):
            families[font.name] = None
            missing -= found
    if missing:
        log.warning(
            "pictures: no font of this machine has %s; boxes stand in their place. Install one, such as Noto Sans CJK",
            " ".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in sorted(missing)),
        )
    return tuple(families)


def _unlike_the_own(font: FontEntry) -> float:
    """How far a font is from an upright one of normal weight; higher is further."""
    scores = fontManager.score_style(font.style, "normal"), fontManager.score_weight(font.weight, "normal")
    return float(sum(scores))


@cache
def _covered(file: str) -> frozenset[str]:
    """The characters of a font that can be drawn in any size."""
    try:
        font = FT2Font(file)
        return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()
    except (OSError, RuntimeError):  # it was removed since Matplotlib listed the fonts, or is damaged
        return frozenset()

"""What test images and pictures are called on the page."""

from html import escape
from typing import cast

from bokeh.layouts import column
from bokeh.models import Div
from bokeh.models.layouts import Column
from bokeh.models.ui import UIElement

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.walk import label_in_words
from latentlab.figures.style import GREY


def image_in_words(space: LatentSpace, index: int) -> str:
    """The number of a test image, and its label where it has one."""
    name = label_in_words(space, int(space.images.y[index]))
    return f"{index} (label {name})" if name else str(index)


def told(space: LatentSpace, index: int) -> str:
    """What a conditional decoder is told when it decodes around the code of a test image."""
    return f", under label {label_in_words(space, int(space.images.y[index]))}" if space.labels else ""


def plain(words: str, **keys: object) -> Div:
    """A text in which nothing is read as HTML or TeX: run and class names are the user's."""
    return Div(text=escape(words), disable_math=True, **keys)


def small(words: str, **keys: object) -> Div:
    """A caption, as wide as there is room."""
    return plain(words, styles={"font-size": "8px", "color": GREY}, **(keys or {"sizing_mode": "stretch_width"}))


def titled(title: str, *shown: UIElement) -> Column:
    """What is shown, below its title."""
    return cast(Column, column(plain(title, styles={"font-size": "12px", "font-weight": "bold"}), *shown))

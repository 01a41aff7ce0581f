"""One image on the page, with a title above, the run's caption below and a button that saves all of it."""

import textwrap
from typing import final

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import Column, ColumnDataSource, DataRange1d, PlainText, Row, SaveTool, Title
from bokeh.models.ui import UIElement
from bokeh.plotting import figure
from jaxtyping import Float
from torch import Tensor

from latentlab.explore.pixels import colours
from latentlab.figures.style import GREY

SIDE = 170  # pixels on the screen
CHARACTER = 4.7  # pixels of the caption's
TITLE, LINE = 24, 12  # pixels of its height, and of a line of the caption
TOOLS = 30  # pixels, beside the image
NARROW = 320  # pixels that every screen has room for


@final
class Picture:
    """An image that is replaced in place.

    Args:
        name: of its data on the page, and of the file that it is saved as.
        title: above it.
        caption: below it, in small print.
        width: on the screen; that of wide ones is less where the screen is narrower.
        proportion: width by height.
    """

    def __init__(self, name: str, title: str, caption: str, width: int = SIDE, proportion: float = 1.0) -> None:
        self.data = ColumnDataSource(name=name)
        self.clear()
        self.title = Title(text=title, text_font_size="12px", text_font_style="bold")
        lines = textwrap.wrap(caption, int(width / CHARACTER))
        self.figure = figure(
            x_range=DataRange1d(range_padding=0),
            y_range=DataRange1d(range_padding=0),
            match_aspect=True,
            title=self.title,
            tools=[SaveTool(filename=name, description="Save picture")],
            height=round(width / proportion) + TITLE + LINE * len(lines),
            width=width + TOOLS,
            **({} if width <= NARROW else {"sizing_mode": "stretch_width", "max_width": width + TOOLS}),
            min_border=1,
            outline_line_color="#cccccc",
        )
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        self.figure.toolbar.logo = None
        self.figure.toolbar.autohide = True
        self.figure.image_rgba("image", x=0, y=0, dw=proportion, dh=1, source=self.data)
        for line in lines:
            self.figure.add_layout(small_print(line), "below")

    def clear(self) -> None:
        """Show nothing, as before the first image."""
        self.data.data = {"image": [np.zeros((1, 1), np.uint32)]}

    def show(self, image: Float[Tensor, "c h w"], title: str | None = None) -> None:
        """Replace the image, and the title where one is given."""
        self.data.data = {"image": [colours(image)]}
        if title is not None:
            self.title.text = title


def small_print(text: str) -> Title:
    """A line of a caption, in which nothing is read as TeX: names of runs are the user's."""
    small = {"text_font_size": "9px", "text_font_style": "normal", "text_color": GREY}
    return Title(text=PlainText(text=text), standoff=0, **small)


def beside(*children: UIElement) -> Row:
    """Children beside each other, and below each other where the screen is narrow."""
    return row(*children, styles={"flex-wrap": "wrap"}, sizing_mode="stretch_width")


def stacked(*children: UIElement, basis: int) -> Column:
    """Children below each other, which take the room that is left. basis: the least width beside others, in pixels."""
    return column(*children, styles={"flex": f"1 1 {basis}px"}, sizing_mode="stretch_width")

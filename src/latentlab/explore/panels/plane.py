"""The plane: codes of test images by label; the place under the pointer is decoded at once."""

from functools import partial
from html import escape
from typing import final

import numpy as np
import torch
from bokeh.events import MouseLeave, MouseMove, PointEvent, Tap
from bokeh.layouts import column, row
from bokeh.models import (
    ColumnDataSource,
    Div,
    PanTool,
    ResetTool,
    SaveTool,
    Select,
    Slider,
    Switch,
    WheelZoomTool,
)
from bokeh.models.layouts import Column
from bokeh.plotting import figure
from bokeh.transform import factor_cmap, factor_mark
from jaxtyping import Float
from torch import Tensor

from latentlab.explore.events import changed
from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.picture import Picture, beside, small_print, stacked
from latentlab.explore.pixels import colours, tiled
from latentlab.explore.plane import Density, Plane, bounds, cells, grid, nearest, principal_plane_of, unit_plane
from latentlab.explore.walk import Walk, label_in_words
from latentlab.figures.style import BLUE, TEN_COLOURS

MARKERS = ("circle", "square", "triangle", "inverted_triangle", "diamond", "plus", "x", "star", "hex", "asterisk")
PRINCIPAL, UNITS = "principal components", "two units"
SIDE = 17  # decoded images along each side of the grid
SPREAD = 0.35  # of the codes of one label across a line


@final
class PlanePanel:
    """The panel of one walk; `layout` is what the page shows."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.space = walk, walk.space
        caption = self.space.caption(f"{len(self.space.codes.y):,} test images.")
        self.plane: Plane  # chosen at the end, with the places of the codes on it
        self.codes = ColumnDataSource({"x": [], "y": [], "label": []}, name="codes")
        self.pinned = ColumnDataSource({"x": [], "y": []}, name="pinned")
        self.behind = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []}, name="grid")
        self.figure = scatter_plot(self.space, self.codes, caption)
        self.figure.image_rgba("image", x="x", y="y", dw="dw", dh="dh", source=self.behind, level="underlay")
        ring(self.figure, self.pinned)
        decoded, image = self.space.caption("A decoded code."), self.space.caption("A test image.")
        self.decoded = Picture("decoded", "decoded", decoded, 300, self.space.proportion)
        self.nearest = Picture("nearest", "nearest test image", image, 150, self.space.proportion)
        self.words = Div(text="", name="words", disable_math=True, width=320, styles={"min-height": "3em"})
        units = [str(unit) for unit in self.space.units]
        self.choice = Select(title="plane", value=PRINCIPAL, options=[PRINCIPAL, UNITS], width=170)
        self.units = [
            Select(title=f"unit {way}", value=unit, options=units, width=90, visible=False)
            for way, unit in zip(("across", "up"), units, strict=False)
        ]
        ways = ("across", "up")[: min(self.space.model.latent_dim, 2)]  # for the keyboard
        self.grid = Switch(active=False, name="grid_switch")
        self.steps = [Slider(title=way, start=0, end=1, step=0.01, value=0, width=160) for way in ways]
        self.decoded_grid: tuple[Float[Tensor, "n d"], int] | None = None  # the codes and the label of the grid
        self._choose_plane()
        for event, callback in ((MouseMove, self._hover), (MouseLeave, self._leave), (Tap, self._pin)):
            self.figure.on_event(event, callback)
        for select in (self.choice, *self.units):
            select.on_change("value", changed(self._choose_plane))
        for axis, slider in enumerate(self.steps):
            slider.on_change("value", partial(self._step, axis))
        self.grid.on_change("active", changed(self._show_grid))
        walk.watch(self._follow)

    @property
    def layout(self) -> Column:
        chooses = [self.choice, *self.units] if self.space.model.latent_dim > 2 else []
        switch = row(Div(text="decoded grid"), self.grid)
        left = stacked(self.figure, beside(*chooses, switch), row(*self.steps), basis=340)
        right = column(self.decoded.figure, self.words, self.nearest.figure)
        return column(beside(left, right), sizing_mode="stretch_width")

    def _choose_plane(self) -> None:
        two = self.choice.value == UNITS
        for select in self.units:
            select.visible = two
        if two:
            across, up = (int(select.value) for select in self.units)
            if across == up:
                self.words.text = "choose two different units"
                return
            self.plane = unit_plane(self.space.model.latent_dim, (across, up))
        else:
            self.plane = whole_plane(self.space)
        self._place_codes(self.plane, self.space.codes.z)

    def _place_codes(self, plane: Plane, z: Float[Tensor, "n d"]) -> None:
        places = plane.places(z)
        self.density, self.spans = Density(places), bounds(places)
        self.codes.data = scattered(self.space, places)
        set_axes(self.figure, plane, self.spans, self.space)
        for slider, (low, high), value in zip(self.steps, self.spans, self._current(), strict=True):
            slider.update(start=low, end=high, step=(high - low) / 200, value=value)
        self._follow()

    def _current(self) -> list[float]:
        """The place of the current code."""
        place: list[float] = self.plane.places(self.walk.code.unsqueeze(0))[0].tolist()
        return place

    def _show_grid(self) -> None:
        if not self.grid.active:
            self.behind.data = {name: [] for name in self.behind.data}
            self.decoded_grid = None
            return
        spans, label = self.spans, self.walk.label
        codes = self.plane.codes(grid(cells(spans, SIDE), SIDE), self.walk.pinned)
        shown = self.decoded_grid
        if shown is not None and shown[1] == label and torch.allclose(shown[0], codes, atol=1e-5):
            return
        self.decoded_grid = codes, label
        images = self.space.decode(codes, label)
        (x, x_end), (y, y_end) = spans if len(spans) == 2 else (spans[0], (-1.2, -0.5))
        place = {"x": [x], "y": [y], "dw": [x_end - x], "dh": [y_end - y]}
        self.behind.data = {"image": [colours(tiled(images, SIDE, gap=0))], **place}

    def _place(self, event: PointEvent) -> Float[Tensor, "1 k"] | None:
        if event.x is None or event.y is None:
            return None
        return torch.tensor([[event.x, event.y][: self.plane.axes.shape[1]]], dtype=torch.float32)

    def _hover(self, event: PointEvent) -> None:
        if (place := self._place(event)) is not None:
            self._show(self.plane.codes(place, self.walk.pinned)[0], "under the pointer")

    def _leave(self, event: PointEvent) -> None:
        self._show(self.walk.code, "current code")

    def _pin(self, event: PointEvent) -> None:
        if (place := self._place(event)) is not None:
            self.walk.pin(self.plane.codes(place, self.walk.pinned)[0])

    def _step(self, axis: int, attr: str, old: float, new: float) -> None:
        place = self._current()
        if abs(new - place[axis]) > 1e-6:  # by the reader, not by `_follow`
            place[axis] = new
            self.walk.pin(self.plane.codes(torch.tensor([place]), self.walk.pinned)[0])

    def _follow(self) -> None:
        place = self._current()
        self.pinned.data = {"x": [place[0]], "y": [place[1] if len(place) > 1 else 0.0]}
        for slider, value in zip(self.steps, place, strict=True):
            slider.value = value
        self._show_grid()
        self._show(self.walk.code, "current code")

    def _show(self, code: Float[Tensor, " d"], title: str) -> None:
        self.decoded.show(self.walk.picture(code), title)
        index, distance = nearest(self.space.codes.z, code)
        name = label_in_words(self.space, int(self.space.images.y[index]))
        self.nearest.show(self.space.images.x[index])
        density = float(self.density.at(self.plane.places(code.unsqueeze(0)))[0])
        of = f" (label {escape(name)})" if name else ""
        self.words.text = (
            f"density of codes here: {density:.0%} of the densest place; "
            f"nearest test image: number {index}{of}, at a distance of {distance:.2f}"
        )


def whole_plane(space: LatentSpace) -> Plane:
    """All units where there are at most two, else the first two principal components."""
    dim = space.model.latent_dim
    return unit_plane(dim, tuple(range(dim))) if dim <= 2 else principal_plane_of(space.codes.z)


def scatter_plot(
    space: LatentSpace, source: ColumnDataSource, caption: str, height: int = 460, x: str = "x", y: str = "y"
) -> figure:
    """Codes by label, in the colours of the figures and with a marker each where there are at most ten.

    x, y: the columns of their places.
    """
    plot = figure(
        tools=[WheelZoomTool(), PanTool(), ResetTool(), SaveTool(filename="codes", description="Save picture")],
        active_drag=None,
        active_scroll=None,
        height=height,
        sizing_mode="stretch_width",
        lod_threshold=None,
        title=small_print(caption),
    )
    plot.toolbar.logo = None
    plot.grid.grid_line_alpha = 0.3
    names = list(space.classes)
    if names and len(names) <= len(TEN_COLOURS):
        looks = {
            "color": factor_cmap("label", TEN_COLOURS[: len(names)], names),
            "marker": factor_mark("label", MARKERS[: len(names)], names),
            "legend_group": "label",
        }
    else:
        looks = {"color": BLUE}
    marks = plot.scatter(x, y, source=source, size=5, fill_alpha=0.6, line_alpha=0.6, **looks)
    marks.nonselection_glyph = None  # the others stay as they are
    if "legend_group" in looks:
        legend = plot.legend[0]
        legend.update(orientation="horizontal", ncols=5, label_text_font_size="10px", spacing=2, padding=2, margin=0)
        plot.add_layout(legend, "below")
    return plot


def ring(plot: figure, source: ColumnDataSource) -> None:
    """A ring at each place of the source, white within black."""
    for colour, width in (("black", 3), ("white", 1)):
        plot.scatter("x", "y", source=source, size=16, fill_alpha=0, line_color=colour, line_width=width)


def scattered(space: LatentSpace, places: Float[Tensor, "n k"]) -> dict[str, object]:
    """The data of a scatter plot of the first N codes; those of a line are spread over a row for each label."""
    y = space.images.y[: len(places)]
    if places.shape[1] == 1:
        noise = torch.rand(len(y), generator=torch.Generator().manual_seed(0)) - 0.5
        up = y.clamp_min(0) + 2 * SPREAD * noise
    else:
        up = places[:, 1]
    names = np.array(space.classes or ("",), dtype=object)[y.clamp_min(0).numpy() % max(len(space.classes), 1)]
    return {"x": places[:, 0].numpy(), "y": up.numpy(), "label": names}


def set_axes(plot: figure, plane: Plane, spans: list[tuple[float, float]], space: LatentSpace) -> None:
    """The names and the ranges of the plane's axes; a line has a row for each label above it."""
    plot.xaxis.axis_label = plane.names[0]
    plot.x_range.update(start=spans[0][0], end=spans[0][1])
    if len(spans) == 2:
        plot.yaxis.axis_label = plane.names[1]
        plot.y_range.update(start=spans[1][0], end=spans[1][1])
    else:
        plot.yaxis.axis_label = "label"
        plot.y_range.update(start=-1.2, end=max(len(space.classes), 1))

"""Side by side: the same image through every run, its error beside it, and its code in every plane."""

from html import escape
from typing import final

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, Div, TapTool
from bokeh.models.layouts import Column, Row

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.panels.plane import ring, scatter_plot, scattered, set_axes, whole_plane
from latentlab.explore.picture import Picture, beside, stacked
from latentlab.explore.plane import bounds
from latentlab.explore.walk import Walk

MARKS = 500  # test images in each plane


@final
class SideBySidePanel:
    """The runs of the page, in the order given, and what each makes of the walk's image."""

    def __init__(self, walk: Walk, spaces: list[LatentSpace]) -> None:
        self.walk = walk
        self.rows = [_Row(space) for space in spaces]
        for one in self.rows:
            one.codes.selected.on_change("indices", self._take)
        self.shown: tuple[object, int] | None = None  # the image and the label
        walk.watch(self._follow)

    @property
    def layout(self) -> Column:
        return column(*(one.layout for one in self.rows), sizing_mode="stretch_width")

    def _take(self, attr: str, old: list[int], new: list[int]) -> None:
        if new and new[0] != self.walk.index:
            self.walk.take_test_image(new[0])

    def _follow(self) -> None:
        if self.shown is not None and self.shown[0] is self.walk.image and self.shown[1] == self.walk.label:
            return
        self.shown = self.walk.image, self.walk.label
        for one in self.rows:
            one.follow(self.walk)


@final
class _Row:
    def __init__(self, space: LatentSpace) -> None:
        self.space = space
        self.plane = whole_plane(space)
        places = self.plane.places(space.codes.z)
        caption = space.caption("Codes of test images.")
        self.codes = ColumnDataSource(scattered(space, places[:MARKS]), name=f"codes {space.name}")
        self.marked = ColumnDataSource({"x": [], "y": []}, name=f"marked {space.name}")
        self.figure = scatter_plot(space, self.codes, caption, height=260)
        self.figure.add_tools(TapTool())
        set_axes(self.figure, self.plane, bounds(places), space)
        ring(self.figure, self.marked)
        self.seen = Picture(f"seen {space.name}", "image", caption, 150, space.proportion)
        self.restored = Picture(f"restored {space.name}", "reconstruction", caption, 150, space.proportion)
        self.words = Div(text="", name=f"error {space.name}")

    @property
    def layout(self) -> Row:
        name = Div(disable_math=True)
        name.text = f"<b>{type(self.space.model).__name__}</b> {escape(self.space.name)}"
        pictures = column(name, beside(self.seen.figure, self.restored.figure), self.words)
        return beside(pictures, stacked(self.figure, basis=340))

    def follow(self, walk: Walk) -> None:
        """Encode and decode the walk's image, and mark its code in the plane."""
        image = walk.image
        code = self.space.encode(image.unsqueeze(0), walk.label)
        restored = self.space.decode(code, walk.label)[0]
        self.seen.show(image.clamp(0, 1))
        self.restored.show(restored)
        place = self.plane.places(code)[0].tolist()
        self.marked.data = {"x": [place[0]], "y": [place[1] if len(place) > 1 else 0.0]}
        self.codes.selected.indices = [walk.index] if walk.index is not None and walk.index < MARKS else []
        self.words.text = f"squared error per pixel: {float((restored - image).square().mean()):.4f}"

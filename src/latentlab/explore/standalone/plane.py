"""The plane under the pointer: a grid of its places, each decoded beforehand."""

from bokeh.events import MouseMove, Tap
from bokeh.models import ColumnDataSource, CustomJS
from bokeh.models.layouts import Row

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.panels.plane import ring, whole_plane
from latentlab.explore.picture import beside, stacked
from latentlab.explore.plane import bounds, grid
from latentlab.explore.standalone.codes import plane_plot
from latentlab.explore.standalone.scrubbers import STEP_OF, scrubber
from latentlab.explore.standalone.sprites import Budget, Tiles, move
from latentlab.explore.standalone.words import small, titled, told

SIDE = 41  # decoded images along each side of the plane
LINE = 201  # along a line
BELOW = -0.85  # the place of the ring, below the rows of a line's labels

POINT = """
[cb_obj.x, cb_obj.y].slice(0, sliders.length).forEach((place, axis) => {
    const {start, end, step} = sliders[axis];
    sliders[axis].value = start + step * Math.round((Math.min(Math.max(place, start), end) - start) / step);
});
"""
DECODE = f"""
{STEP_OF}
const [column, up = rows - 1] = sliders.map(step_of);
ring.data = {{x: [sliders[0].value], y: [sliders.length > 1 ? sliders[1].value : ring.data.y[0]]}};
{move("picture", "column", "rows - 1 - up")}
"""


def plane_panel(space: LatentSpace, k: int, codes: ColumnDataSource, budget: Budget, limit: int) -> Row:
    """The codes of the k-th run's test images, and what the place under the pointer, or at the sliders, decodes to.

    limit: of the images, in bytes.
    """
    plane, own, label = whole_plane(space), space.codes.z[0], int(space.images.y[0])
    spans = bounds(plane.places(space.codes.z))

    def tiles(side: int) -> list[Tiles]:
        return [Tiles(space.decode(plane.codes(grid(spans, side), own), label), side)]

    [sprite] = budget.sprites(tiles, SIDE if len(spans) == 2 else LINE, 2, limit)
    own_place = plane.places(own.unsqueeze(0))[0].tolist()
    axes = zip(plane.names, spans, own_place, strict=True)
    found = [scrubber(name, *span, at, sprite.columns, f"{space.name}: {name}") for name, span, at in axes]
    sliders, numbers = [slider for slider, _ in found], [number for _, number in found]
    row = sprite.rows - 1 - numbers[1] if len(numbers) == 2 else 0
    picture = sprite.picture(300, numbers[0], row, f"decoded {space.name}")
    plot = plane_plot(space, k, codes, len(space.images.y))
    place = {"x": [sliders[0].value], "y": [sliders[1].value if len(numbers) == 2 else BELOW]}
    marked = ColumnDataSource(place, name=f"place {space.name}")
    ring(plot, marked)
    args = {"sliders": sliders, "rows": sprite.rows, "ring": marked, "picture": picture}
    for slider in sliders:
        slider.js_on_change("value", CustomJS(args=args, code=DECODE))
    for event in (MouseMove, Tap):
        plot.js_on_event(event, CustomJS(args={"sliders": sliders}, code=POINT))
    caption = f"One of {sprite.rows * sprite.columns:,} places, decoded{told(space, 0)}."
    if space.model.latent_dim > 2:
        caption += " The plane goes through the code of test image 0."
    decoded = titled("under the pointer", picture, small(space.caption(caption), width=picture.width))
    return beside(stacked(plot, *sliders, basis=340), decoded)

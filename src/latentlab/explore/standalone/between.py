"""Between two test images: straight and spherical paths, each decoded beforehand at even steps."""

import torch
from bokeh.layouts import column
from bokeh.models import CustomJS, RadioButtonGroup, Select
from bokeh.models.layouts import Column

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.panels.between import PATHS
from latentlab.explore.picture import beside, stacked
from latentlab.explore.standalone.codes import one_of_each_label
from latentlab.explore.standalone.scrubbers import STEP_OF, scrubber
from latentlab.explore.standalone.sprites import Budget, Tiles, move, move_strip
from latentlab.explore.standalone.words import image_in_words, small, titled

PAIRS = 4
STEPS = 21

LINE = "const line = Number(pair.value) * path.labels.length + path.active;\n"


def between_panel(space: LatentSpace, budget: Budget, limit: int) -> Column:
    """A few pairs to choose from, the path, and the image at a scrubber. limit: of the images, in bytes."""
    ends = one_of_each_label(space, 2 * PAIRS)
    pairs = list(zip(ends[::2], ends[1::2], strict=False)) or [(ends[0], ends[0])]
    z, y = space.codes.z, space.images.y

    def tiles(steps: int) -> list[Tiles]:
        fractions = torch.linspace(0, 1, steps).unsqueeze(1)
        paths = [(pair, path) for pair in pairs for path in PATHS.values()]
        lines = [space.decode(path(z[one], z[other], fractions), int(y[one])) for (one, other), path in paths]
        return [Tiles(torch.cat(lines), steps)]

    [sprite] = budget.sprites(tiles, STEPS, 2, limit)
    options = [(str(k), " to ".join(image_in_words(space, end) for end in pair)) for k, pair in enumerate(pairs)]
    pair = Select(title="from test image", value="0", options=options, width=300, name=f"{space.name}: pair")
    path = RadioButtonGroup(labels=list(PATHS), active=0, name=f"{space.name}: path")
    fraction, middle = scrubber("of the way", 0.0, 1.0, 0.5, sprite.columns, f"{space.name}: fraction")
    picture = sprite.picture(170, middle, 0, f"{space.name}: between")
    strip = sprite.strip(name=f"{space.name}: strip")
    args = {"pair": pair, "path": path, "fraction": fraction, "picture": picture, "strip": strip}
    code = STEP_OF + LINE + move("picture", "step_of(fraction)", "line") + move_strip("strip", "line", sprite.rows)
    callback = CustomJS(args=args, code=code)
    for widget, changes in ((pair, "value"), (path, "active"), (fraction, "value")):
        widget.js_on_change(changes, callback)
    label = ", under the label of the first image" if space.labels else ""
    caption = f"{sprite.columns} codes at even steps between the codes of two test images, decoded{label}."
    walk = beside(titled("at the scrubber", picture), stacked(fraction, strip, basis=300))
    return column(beside(pair, path), walk, small(space.caption(caption)), sizing_mode="stretch_width")

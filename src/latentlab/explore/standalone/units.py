"""The units: each of the most active ones changed alone, its images under a scrubber."""

import torch
from bokeh.layouts import column, row
from bokeh.models import CustomJS
from bokeh.models.layouts import Column

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.picture import stacked
from latentlab.explore.standalone.scrubbers import STEP_OF, scrubber
from latentlab.explore.standalone.sprites import Budget, Tiles, move
from latentlab.explore.standalone.words import small, told

MOST = 8  # units
STEPS = 21  # of each


def units_panel(space: LatentSpace, budget: Budget, limit: int) -> Column:
    """From the code of test image 0, for each unit a slider, the image at it and all images in a strip.

    limit: of the images, in bytes.
    """
    units, own = space.units[:MOST], space.codes.z[0]
    label, activity = int(space.images.y[0]), space.codes.activity

    def tiles(steps: int) -> list[Tiles]:
        codes = own.repeat(len(units), steps, 1)
        for k, unit in enumerate(units):
            codes[k, :, unit] = torch.linspace(float(space.ranges[unit, 0]), float(space.ranges[unit, 1]), steps)
        return [Tiles(space.decode(codes.flatten(0, 1), label), steps)]

    [sprite] = budget.sprites(tiles, STEPS, 2, limit)
    lines = []
    for k, unit in enumerate(units):
        title = f"unit {unit} ({space.units_measure} {float(activity[unit]):.2g})"
        low, high = space.ranges[unit].tolist()
        slider, start = scrubber(title, low, high, float(own[unit]), sprite.columns, f"{space.name}: unit {unit}")
        picture = sprite.picture(100, start, k, f"{space.name}: image of unit {unit}")
        code = STEP_OF + move("picture", "step_of(cb_obj)", str(k))
        slider.js_on_change("value", CustomJS(args={"picture": picture}, code=code))
        lines.append(row(picture, stacked(slider, sprite.strip(k), basis=200), sizing_mode="stretch_width"))
    caption = f"The code of test image 0, one unit changed at a time, decoded{told(space, 0)}."
    return column(*lines, small(space.caption(caption)), sizing_mode="stretch_width")

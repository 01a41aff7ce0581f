"""The label of a conditional model: some codes under every label."""

import torch
from bokeh.layouts import column
from bokeh.models import CustomJS, RadioButtonGroup, Select
from bokeh.models.layouts import Column

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.panels.label import BUTTONS
from latentlab.explore.picture import beside
from latentlab.explore.standalone.codes import one_of_each_label
from latentlab.explore.standalone.sprites import Budget, Tiles, move
from latentlab.explore.standalone.words import image_in_words, small, titled

MOST = 100  # labels
CODES = 5


def label_panel(space: LatentSpace, budget: Budget, limit: int) -> Column:
    """The label to choose, and some codes under it; all of them in a table where the labels are few.

    limit: of the images, in bytes.
    """
    names = list(space.labels[:MOST])

    def tiles(count: int) -> list[Tiles]:
        codes = space.codes.z[one_of_each_label(space, count)]
        images = torch.stack([space.decode(codes, label) for label in range(len(names))], 1)
        return [Tiles(images.flatten(0, 1), len(names))]

    [sprite] = budget.sprites(tiles, CODES, 1, limit)
    few = len(names) <= BUTTONS
    pictures = [sprite.picture(140, 0, k, f"{space.name}: code {k}") for k in range(sprite.rows)]
    if few:
        choice, number = RadioButtonGroup(labels=names, active=0, sizing_mode="stretch_width"), "cb_obj.active"
    else:
        choice, number = Select(options=[(str(k), n) for k, n in enumerate(names)], value="0"), "Number(cb_obj.value)"
    choice.name = f"{space.name}: label"
    code = "".join(move(f"pictures[{k}]", number, str(k)) for k in range(sprite.rows))
    choice.js_on_change("active" if few else "value", CustomJS(args={"pictures": pictures}, code=code))
    titles = [f"image {image_in_words(space, index)}" for index in one_of_each_label(space, sprite.rows)]
    shown = beside(*map(titled, titles, pictures))
    order = f"; in the table from left to right under {', '.join(names)}." if few else "."
    caption = small(space.caption("Codes of test images, decoded under the label that is chosen" + order))
    table = [sprite.strip(0, sprite.rows)] if few else []
    return column(choice, shown, *table, caption, sizing_mode="stretch_width")

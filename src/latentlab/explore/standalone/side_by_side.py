"""Side by side: the same test images through every run, the errors beside them, and their codes in every plane."""

import torch
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS, Select, TapTool
from bokeh.models.layouts import Column
from jaxtyping import Float
from torch import Tensor

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.panels.plane import ring
from latentlab.explore.picture import beside, stacked
from latentlab.explore.standalone.codes import plane_plot
from latentlab.explore.standalone.sprites import Budget, Tiles, move
from latentlab.explore.standalone.words import image_in_words, plain, titled

MOST = 500  # test images
COLUMNS = 20  # of their sprites

ERROR = "squared error per pixel: "

TAKE = "if (cb_obj.indices.length) choice.value = String(cb_obj.indices[0]);"
SHOW = f"""
const number = Number(choice.value), column = number % {COLUMNS}, row = Math.floor(number / {COLUMNS});
codes.selected.indices = [number];
{move("seen", "column", "row")}
for (const [k, {{restored, words, ring, errors}}] of runs.entries()) {{
    ring.data = {{x: [codes.data[`x ${{k}}`][number]], y: [codes.data[`y ${{k}}`][number]]}};
    words.text = "{ERROR}" + errors[number].toFixed(4);
    {move("restored", "column", "row")}
}}
"""


def side_by_side_panel(spaces: list[LatentSpace], codes: ColumnDataSource, budget: Budget, limit: int) -> Column:
    """Every run's reconstruction of a test image, which is chosen in a list or by a click on a mark in any plane.

    limit: of the images, in bytes.
    """
    images = spaces[0].images.x[:MOST]
    restored = [reconstructions(space, images) for space in spaces]

    def tiles(count: int) -> list[Tiles]:
        return [Tiles(some[:count], COLUMNS) for some in (images.clamp(0, 1), *restored)]

    seen, *sprites = budget.sprites(tiles, len(images), 1, limit)
    options = [(str(index), image_in_words(spaces[0], index)) for index in range(seen.count)]
    choice = Select(title="test image", options=options, value="0", width=200, name="test image")
    picture = seen.picture(140, name="seen")
    codes.selected.indices = [0]
    runs, cards = [], []
    for k, (space, sprite, found) in enumerate(zip(spaces, sprites, restored, strict=True)):
        errors = (found - images)[: seen.count].square().mean((1, 2, 3)).tolist()
        run = {
            "restored": sprite.picture(140, name=f"restored {space.name}"),
            "words": plain(f"{ERROR}{errors[0]:.4f}", name=f"error {space.name}"),
            "ring": ColumnDataSource({axis: codes.data[f"{axis} {k}"][:1] for axis in "xy"}, name=f"ring {space.name}"),
            "errors": errors,
        }
        plot = plane_plot(space, k, codes, seen.count, height=300)
        plot.add_tools(TapTool())
        ring(plot, run["ring"])
        title = f"{type(space.model).__name__}, run {space.name}"
        card = stacked(titled(title, row(run["restored"], run["words"])), plot, basis=340)
        card.styles = {**card.styles, "max-width": "420px"}
        cards.append(card)
        runs.append(run)
    args = {"choice": choice, "codes": codes, "runs": runs, "seen": picture}
    choice.js_on_change("value", CustomJS(args=args, code=SHOW))
    codes.selected.js_on_change("indices", CustomJS(args={"choice": choice}, code=TAKE))
    return column(row(picture, choice), beside(*cards), sizing_mode="stretch_width")


@torch.no_grad()
def reconstructions(space: LatentSpace, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """What a run makes of the first test images, each under its own label."""
    y = space.images.y[: len(images)] if space.model.conditional else None
    return space.model.reconstruct(images, y).float().clamp(0, 1)

"""The file: the panels of every run, within a limit of bytes."""

from pathlib import Path

from bokeh.document import Document
from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models import CustomJS, Select
from bokeh.models.ui import UIElement
from bokeh.resources import INLINE

from latentlab.errors import UserError
from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.standalone.between import between_panel
from latentlab.explore.standalone.codes import places_of
from latentlab.explore.standalone.label import label_panel
from latentlab.explore.standalone.plane import plane_panel
from latentlab.explore.standalone.side_by_side import side_by_side_panel
from latentlab.explore.standalone.sprites import Budget
from latentlab.explore.standalone.units import units_panel
from latentlab.explore.standalone.words import plain
from latentlab.explore.template import set_template
from latentlab.runs.files import write_atomically

MOST = 5_000_000  # bytes
SCRIPTS, RUN = 1_700_000, 80_000  # bytes of Bokeh, and of a run without its images; about
SPARE = 20_000
CHOOSE = "places.forEach((place, k) => place.children = [panels[k][Number(choice.value)]]);"
# shares of the bytes; the planes have the rest
UNITS, BETWEEN, LABEL, SIDE_BY_SIDE = 0.12, 0.12, 0.06, 0.2


def write_page(spaces: list[LatentSpace], file: Path, most: int = MOST) -> Path:
    """Write one page that needs no server and no network, of at most `most` bytes; returns the file.

    Raises:
        UserError: not even small images fit, or the file cannot be written, as on a full disk.
    """
    html, images = _page(spaces, most - SCRIPTS - RUN * len(spaces))
    if len(html) > most:
        html, _ = _page(spaces, most - (len(html) - images) - SPARE)
    if len(html) > most:
        raise UserError(f"output: expected at most {most:,} bytes, found {len(html):,}; choose fewer runs")
    try:
        write_atomically(file, html)
    except OSError as error:
        raise UserError(
            f"output: {error.filename} cannot be written ({error.strerror}); choose another file"
        ) from error
    return file


def _page(spaces: list[LatentSpace], images: int) -> tuple[bytes, int]:
    """The page, and the bytes of its images, which are to be at most `images`."""
    budget, codes, each = Budget(images), places_of(spaces), images / len(spaces)
    panels: dict[str, UIElement] = {}
    if len(spaces) > 1:
        panels["side_by_side"] = side_by_side_panel(spaces, codes, budget, int(SIDE_BY_SIDE * images))
    of_runs = {
        "units": [units_panel(space, budget, int(UNITS * each)) for space in spaces],
        "between": [between_panel(space, budget, int(BETWEEN * each)) for space in spaces],
    }
    if any(space.labels for space in spaces):
        of_runs["label"] = [_label_panel(space, budget, int(LABEL * each)) for space in spaces]
    limits = (budget.left // left for left in range(len(spaces), 0, -1))
    of_runs["plane"] = [
        plane_panel(space, k, codes, budget, limit) for k, (space, limit) in enumerate(zip(spaces, limits, strict=True))
    ]
    for name, found in of_runs.items():
        panels[name] = column(found[0], sizing_mode="stretch_width")
    document = Document()
    set_template(document, spaces, list(panels), live=False)
    if len(spaces) > 1:
        options = [(str(k), f"{type(space.model).__name__} {space.name}") for k, space in enumerate(spaces)]
        choice = Select(title="run", value="0", options=options, width=300, name="choice")
        args = {"choice": choice, "places": [panels[name] for name in of_runs], "panels": list(of_runs.values())}
        choice.js_on_change("value", CustomJS(args=args, code=CHOOSE))
        document.add_root(choice)
    for name, panel in panels.items():
        panel.name = f"{name}_panel"
        document.add_root(panel)
    keys = {"template": document.template, "template_variables": document.template_variables}
    return file_html(document, INLINE, **keys).encode("utf-8", "backslashreplace"), images - budget.left


def _label_panel(space: LatentSpace, budget: Budget, limit: int) -> UIElement:
    if space.labels:
        return label_panel(space, budget, limit)
    return plain(f"{type(space.model).__name__} {space.name} takes no label.")

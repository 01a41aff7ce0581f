"""The animated picture of README: `python -m tests.explore.animation RUN docs/explore.gif`."""

import io
import math
import sys
from pathlib import Path

from PIL import Image, ImageDraw

from tests.explore.served import Page, served

WIDTH, FRAMES, MILLISECONDS = 860, 72, 90
COLOURS = 128
SCALE = 0.75
# of the plane, as a share of its range: a slow loop through the middle and along the rim
LOOP = [
    (0.5 + 0.36 * math.cos(t) * (0.55 + 0.45 * math.cos(2 * t)), 0.5 + 0.34 * math.sin(t))
    for t in (2 * math.pi * k / FRAMES for k in range(FRAMES))
]

COUNT = """
window.drawn = 0;
Bokeh.documents[0].get_model_by_name("decoded").properties.data.change.connect(() => window.drawn++); 0
"""
SPANS = """
(() => {
  const shows = v => v.model.type == "Figure" && v.model.renderers.some(r => r.data_source.name == "codes");
  const plot = [...Bokeh.index.query(shows)][0].model;
  return [[plot.x_range.start, plot.x_range.end], [plot.y_range.start, plot.y_range.end]];
})()
"""
SECTION = """
(() => { const b = document.getElementById("the-plane").getBoundingClientRect(); return [b.top, b.bottom]; })()
"""


def main(run: str, file: str) -> None:
    with served(f"run={run}") as server:
        page = Page(server.url, width=WIDTH)
        page.browser.run(COUNT)
        frames = [_frame(page, place, Path(file)) for place in LOOP]
        page.close()
    palette = frames[0].quantize(COLOURS)
    shown = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    shown[0].save(file, save_all=True, append_images=shown[1:], duration=MILLISECONDS, loop=0, optimize=True)


def _frame(page: Page, place: tuple[float, float], file: Path) -> Image.Image:
    """The plane with the pointer at a place, and what it decodes to."""
    spans = page.browser.run(SPANS)
    x, y = (low + share * (high - low) for share, (low, high) in zip(place, spans, strict=True))
    drawn = page.browser.run("window.drawn")
    page.point("codes", x, y)
    page.wait(f"window.drawn > {drawn}")
    across, down = page.screen("codes", x, y)
    picture = file.with_suffix(".png")
    page.browser.picture(picture)
    image = Image.open(io.BytesIO(picture.read_bytes())).convert("RGB")
    picture.unlink()
    arrow = [(across, down), (across, down + 17), (across + 4, down + 13), (across + 12, down + 12)]
    ImageDraw.Draw(image).polygon(arrow, "black", "white")
    top, bottom = (round(value) for value in page.browser.run(SECTION))
    cut = image.crop((0, max(0, top), image.width, min(image.height, bottom)))
    return cut.resize((round(cut.width * SCALE), round(cut.height * SCALE)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main(*sys.argv[1:])

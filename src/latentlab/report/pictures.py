"""The runs' pictures side by side, made small enough for one page."""

import base64
import io
import struct
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from PIL import Image

from latentlab.report.reading.groups import Group
from latentlab.report.reading.records import Record

BUDGET = 9 * 2**20  # bytes of the page
MOST_GROUPS = 24
MOST_PICTURES = 140  # each takes a few hundredths of a second
FEW = 60
MOST_PIXELS = 40_000_000
WIDTH_OF_FEW, WIDTH_OF_MANY = 1000, 640
COLOURS = 128
# what Pillow raises of a file that is not what it should be
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, Image.DecompressionBombError, Warning)


@final
@dataclass(frozen=True)
class Picture:
    """One group's picture. source: a data URI, empty where there is none; note: of the seed, or why there is none."""

    group: int
    source: str
    width: int
    height: int
    note: str


@final
@dataclass(frozen=True)
class Gallery:
    """rows: pictures by key, over the groups. notes: what was left out and why; damage: (run, what)."""

    rows: tuple[tuple[str, tuple[Picture, ...]], ...]
    notes: tuple[str, ...]
    damage: tuple[tuple[str, str], ...]


def gallery(groups: Sequence[Group], order: Sequence[int], budget: int = BUDGET, most: int = MOST_GROUPS) -> Gallery:
    """The pictures of one run a group, of the lowest seed that all have in common, the best groups first.

    order: places of the groups, the best first; most: of the groups, where the keys leave room for so many.
    """
    seed = _common_seed([groups[place] for place in order])
    chosen = {place: run for place in order if (run := _shown_run(groups[place], seed)) is not None}
    keys = sorted({key for run in chosen.values() for key in run.pictures})
    most = min(most, max(2, MOST_PICTURES // max(1, len(keys))))
    kept = dict(list(chosen.items())[:most])
    notes = [f"the pictures of the {most} best groups of {len(chosen)} are shown"] if len(chosen) > most else []
    few = sum(len(run.pictures) for run in kept.values()) <= FEW
    rows, damage, spent, left_out = [], [], 0, 0
    for key in keys:
        row = []
        for place, run in kept.items():
            if key not in run.pictures:
                continue
            try:
                picture = _picture(run.pictures[key], place, few, f"seed {run.seed}" if run.seed is not None else "")
            except DAMAGE as error:
                damage.append((run.name, f"figures/{key}.png is damaged ({_reason(error)})"))
                continue
            if spent + len(picture.source) > budget:
                left_out += 1
                continue
            spent += len(picture.source)
            row.append(picture)
        if row:
            rows.append((key, tuple(row)))
    if left_out:
        notes.append(f"{left_out} pictures were left out: the page holds {budget / 2**20:.0f} MiB of them")
    return Gallery(tuple(rows), tuple(notes), tuple(damage))


def _common_seed(groups: Sequence[Group]) -> int | None:
    """The lowest seed of which every group that has pictures has some."""
    seeds = [{run.seed for run in _with_pictures(group)} for group in groups if _with_pictures(group)]
    common = set.intersection(*seeds) - {None} if seeds else set()
    return min((seed for seed in common if seed is not None), default=None)


def _with_pictures(group: Group) -> list[Record]:
    return [run for run in group.complete if run.pictures]


def _shown_run(group: Group, seed: int | None) -> Record | None:
    runs = _with_pictures(group)
    return next((run for run in runs if run.seed == seed), runs[0] if runs else None)


def _picture(file: Path, group: int, few: bool, note: str) -> Picture:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=["PNG"]) as found:
            if found.width * found.height > MOST_PIXELS:
                raise ValueError(f"{found.width} x {found.height} pixels are too many")
            pixels = found.convert("RGB")
    most = WIDTH_OF_FEW if few else WIDTH_OF_MANY
    if pixels.width > most:
        pixels = pixels.resize((most, max(1, round(pixels.height * most / pixels.width))), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    if few:  # sharp, and smaller than anything else where it was not resized
        pixels.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    else:
        pixels.save(stream, "WEBP", quality=80, method=2)
    kind = "png" if few else "webp"
    source = f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"
    return Picture(group, source, pixels.width, pixels.height, note)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and "cannot identify" in str(error):
        return "no PNG"
    return " ".join(str(error).split())[:80]

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
MAX_GROUPS = 24
MAX_PICTURES = 140  # each takes a few hundredths of a second
FEW = 60
MAX_PIXELS = 40_000_000
WIDTH_OF_FEW, WIDTH_OF_MANY = 1000, 640
COLOURS = 128
# what Pillow raises for a damaged file
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, Image.DecompressionBombError, Warning)


@final
@dataclass(frozen=True)
class Picture:
    """One group's picture. group: its index. source: a data URI. width, height: in pixels. note: the seed."""

    group: int
    source: str
    width: int
    height: int
    note: str


@final
@dataclass(frozen=True)
class Gallery:
    """rows: (name, its pictures by group). notes: what was left out, and why. damage: (run, what is damaged)."""

    rows: list[tuple[str, list[Picture]]]
    notes: list[str]
    damage: list[tuple[str, str]]


def gallery(
    groups: Sequence[Group], order: Sequence[int], budget: int = BUDGET, max_groups: int = MAX_GROUPS
) -> Gallery:
    """The pictures of one run per group, of the lowest seed that all groups have in common, the best groups first.

    order: indices of the groups, the best first. budget: bytes of all pictures. max_groups: that are shown.
    """
    runs, notes = _shown_runs(groups, order), []
    keys = sorted({key for run in runs.values() for key in run.pictures})
    most = min(max_groups, max(2, MAX_PICTURES // max(1, len(keys))))
    if len(runs) > most:
        notes.append(f"the pictures of the {most} best groups of {len(runs)} are shown")
        runs = dict(list(runs.items())[:most])
    wanted = [(key, index, run) for key in keys for index, run in runs.items() if key in run.pictures]
    rows: dict[str, list[Picture]] = {}
    damage, spent, skipped = [], 0, 0
    for key, index, run in wanted:
        note = f"seed {run.seed}" if run.seed is not None else ""
        try:
            picture = _picture(run.pictures[key], index, len(wanted) <= FEW, note)
        except DAMAGE as error:
            damage.append((run.name, f"figures/{key}.png is damaged ({_reason(error)})"))
            continue
        if spent + len(picture.source) > budget:
            skipped += 1
        else:
            spent += len(picture.source)
            rows.setdefault(key, []).append(picture)
    if skipped:
        notes.append(f"{skipped} pictures were left out: the page holds {budget / 2**20:.0f} MiB of them")
    return Gallery(list(rows.items()), notes, damage)


def _shown_runs(groups: Sequence[Group], order: Sequence[int]) -> dict[int, Record]:
    """{index of a group that has pictures: the run whose pictures are shown}."""
    with_pictures = {index: [run for run in groups[index].complete if run.pictures] for index in order}
    with_pictures = {index: runs for index, runs in with_pictures.items() if runs}
    seeds = [{run.seed for run in runs if run.seed is not None} for runs in with_pictures.values()]
    common = min(set.intersection(*seeds), default=None) if seeds else None
    return {index: next((r for r in runs if r.seed == common), runs[0]) for index, runs in with_pictures.items()}


def _picture(file: Path, group: int, few: bool, note: str) -> Picture:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=["PNG"]) as found:
            if found.width * found.height > MAX_PIXELS:
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

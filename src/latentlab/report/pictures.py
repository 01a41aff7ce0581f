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
# what Pillow raises of a file that is not what it should be
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, Image.DecompressionBombError, Warning)


@final
@dataclass(frozen=True)
class Picture:
    """One group's picture. source: a data URI; note: which seed."""

    group: int
    source: str
    width: int
    height: int
    note: str


@final
@dataclass(frozen=True)
class Gallery:
    """rows: (key, pictures over the groups). notes: what was left out and why; damage: (run, what)."""

    rows: tuple[tuple[str, tuple[Picture, ...]], ...]
    notes: tuple[str, ...]
    damage: tuple[tuple[str, str], ...]


def gallery(
    groups: Sequence[Group], order: Sequence[int], budget: int = BUDGET, max_groups: int = MAX_GROUPS
) -> Gallery:
    """The pictures of one run per group, of the lowest seed that all have in common, the best groups first.

    order: indices of the groups, the best first. budget: bytes of all pictures.
    """
    runs, notes = _shown_runs(groups, order, max_groups)
    few = sum(len(run.pictures) for run in runs.values()) <= FEW
    rows: dict[str, list[Picture]] = {}
    damage, spent, skipped = [], 0, 0
    for key in sorted({key for run in runs.values() for key in run.pictures}):
        for index, run in runs.items():
            if key not in run.pictures:
                continue
            try:
                picture = _picture(run.pictures[key], index, few, f"seed {run.seed}" if run.seed is not None else "")
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
    return Gallery(tuple((key, tuple(row)) for key, row in rows.items()), tuple(notes), tuple(damage))


def _shown_runs(groups: Sequence[Group], order: Sequence[int], max_groups: int) -> tuple[dict[int, Record], list[str]]:
    """{index of a group: the run whose pictures are shown}, for as many groups as the page has room for; notes."""
    seed = _common_seed([groups[index] for index in order])
    chosen = {index: run for index in order if (run := _shown_run(groups[index], seed)) is not None}
    keys = {key for run in chosen.values() for key in run.pictures}
    most = min(max_groups, max(2, MAX_PICTURES // max(1, len(keys))))
    notes = [f"the pictures of the {most} best groups of {len(chosen)} are shown"] if len(chosen) > most else []
    return dict(list(chosen.items())[:most]), notes


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

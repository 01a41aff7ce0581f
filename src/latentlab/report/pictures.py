"""The runs' pictures side by side, made small enough for one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from latentlab.report.embedding import DAMAGE, Embedded, damage_of, embedded
from latentlab.report.reading.groups import Group
from latentlab.report.reading.records import Record
from latentlab.runs.layout import FIGURES

BUDGET = 9 * 2**20  # bytes of the page
MAX_GROUPS = 24
MAX_PICTURES = 140  # each takes a few hundredths of a second
FEW = 60
WIDTH_OF_FEW, WIDTH_OF_MANY = 1000, 640
MAX_FRAMES, MAX_FRAMES_OF_ALL = 24, 160
WIDTH_OF_FRAME = 520


@final
@dataclass(frozen=True)
class Picture:
    """One group's picture. group: its index. note: the seed. frames: (epoch, picture) of those kept before it."""

    group: int
    shown: Embedded
    note: str
    frames: tuple[tuple[int, Embedded], ...] = ()


@final
@dataclass(frozen=True)
class Gallery:
    """rows: (name, its pictures by group). notes: what was left out, and why. damage: (run, what is damaged)."""

    rows: list[tuple[str, list[Picture]]]
    notes: list[str]
    damage: list[tuple[str, str]]

    @property
    def by_epoch(self) -> bool:
        """Whether there is a picture of several epochs."""
        return any(picture.frames for _, row in self.rows for picture in row)


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
    is_few = len(wanted) <= FEW
    rows: dict[str, list[Picture]] = {}
    damage: list[tuple[str, str]] = []
    spent, skipped = 0, 0
    for key, index, run in wanted:
        try:
            shown = embedded(run.pictures[key], WIDTH_OF_FEW if is_few else WIDTH_OF_MANY, is_few)
        except DAMAGE as error:
            damage.append((run.name, damage_of(f"{FIGURES}/{key}.png", error)))
            continue
        if spent + len(shown.source) > budget:
            skipped += 1
        else:
            spent += len(shown.source)
            rows.setdefault(key, []).append(Picture(index, shown, f"seed {run.seed}" if run.seed is not None else ""))
    if skipped:
        notes.append(f"{skipped} pictures were left out: the page holds {budget / 2**20:.0f} MiB of them")
    return _with_frames(Gallery(list(rows.items()), notes, damage), runs, budget - spent)


def _shown_runs(groups: Sequence[Group], order: Sequence[int]) -> dict[int, Record]:
    """{index of a group that has pictures: the run whose pictures are shown}."""
    with_pictures = {index: [run for run in groups[index].complete if run.pictures] for index in order}
    with_pictures = {index: runs for index, runs in with_pictures.items() if runs}
    seeds = [{run.seed for run in runs if run.seed is not None} for runs in with_pictures.values()]
    common = min(set.intersection(*seeds), default=None) if seeds else None
    return {index: next((r for r in runs if r.seed == common), runs[0]) for index, runs in with_pictures.items()}


def _with_frames(found: Gallery, runs: Mapping[int, Record], budget: int) -> Gallery:
    """The gallery with the pictures that were kept by epoch, each picture's within its share of what is left."""
    kept = [runs[picture.group].by_epoch.get(key, {}) for key, row in found.rows for picture in row]
    count = sum(map(bool, kept))
    if not count:
        return found
    most = min(MAX_FRAMES, max(2, MAX_FRAMES_OF_ALL // count))
    damage = list(found.damage)
    rows = [
        (key, [_animated(key, picture, runs[picture.group], most, budget // count, damage) for picture in row])
        for key, row in found.rows
    ]
    shown = sum(len(picture.frames) for _, row in rows for picture in row)
    left_out = sum(map(len, kept)) - shown - (len(damage) - len(found.damage))
    notes = [f"{left_out} pictures of epochs in between were left out"] if left_out else []
    return Gallery(rows, [*found.notes, *notes], damage)


def _animated(
    key: str, picture: Picture, run: Record, most: int, budget: int, damage: list[tuple[str, str]]
) -> Picture:
    """The picture with at most `most` frames, of at most `budget` bytes in all."""
    frames: list[tuple[int, Embedded]] = []
    for epoch, file in _spread(run.by_epoch.get(key, {}), most):
        try:
            frames.append((epoch, embedded(file, WIDTH_OF_FRAME, sharp=False)))
        except DAMAGE as error:
            damage.append((run.name, damage_of(f"{FIGURES}/{key}/{file.name}", error)))
    while sum(len(frame.source) for _, frame in frames) > budget:
        frames = frames[:-1:2] if len(frames) > 1 else []
    return replace(picture, frames=tuple(frames))


def _spread(files: Mapping[int, Path], most: int) -> list[tuple[int, Path]]:
    """At most `most`, at least two, of the epochs' files, evenly spread from the first to the last."""
    listed = list(files.items())
    if len(listed) <= most:
        return listed
    return [listed[round(k * (len(listed) - 1) / (most - 1))] for k in range(most)]

"""`latentlab reproduce`: train recipes over several seeds, and write their metrics beside the published values."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final
from zlib import crc32

from latentlab.commands.check import compared
from latentlab.commands.job import job
from latentlab.commands.keys_only import run_keys_only, sweep_folder, value_of
from latentlab.config import config_dir, run_hydra
from latentlab.errors import ConfigError, UserError, nearest, unknown
from latentlab.processes.processor import processor
from latentlab.report.reading.records import Record
from latentlab.report.reading.run_sets import read_sweep
from latentlab.report.results.claims import FILE, Reproduction, read_reproductions
from latentlab.report.results.measured import Measured, as_recorded, measured, read_measured, write_measured
from latentlab.report.results.page import results_page
from latentlab.runs.files import write_atomically

OWN = ("seeds", "page", "compare", "minutes")
USAGE = """latentlab reproduce [RECIPE ...] [seeds=0,1,2] [page=docs/results.md] [KEY=VALUE ...]
Trains recipes of conf/results.yaml, by default all of them, over several seeds, and writes their metrics beside the
published values into a page, with the metrics themselves in a file results.json and the pictures in a folder beside it.
Each recipe is a sweep in outputs/sweeps/reproduce_RECIPE: the same command resumes it after an interruption.
minutes=5            those recipes alone of which a seed takes at most as many minutes on two CPU cores
compare=FILE.json    writes no page, trains anew and compares with the metrics of an earlier page; exit status 1 where
                     one is worse than three standard errors, and than 2 %, allow
Further keys as in latentlab train --help, such as paths.output_dir=FOLDER trainer=cpu_bf16."""


def main(arguments: list[str]) -> int:
    """Train, measure, write the page or compare, and return the exit status."""
    return run_keys_only("reproduce", USAGE, reproduce, arguments)


def reproduce(given: list[str]) -> int:
    """The exit status.

    Raises:
        UserError: no such recipe, a damaged file, or a metric that no run has.
    """
    every = read_reproductions(config_dir() / FILE)
    chosen = _chosen(every, [one for one in given if "=" not in one], value_of("minutes", given))
    compare = value_of("compare", given)
    page = Path(value_of("page", given) or "docs/results.md")
    if page.suffix != ".md":
        raise ConfigError(f"page: expected the name of a Markdown file, such as results.md, found {page}")
    file = Path(compare) if compare else page.with_suffix(".json")
    known = read_measured(file)
    if compare and (missing := [one.recipe for one in chosen if one.recipe not in known]):
        raise ConfigError(
            f"compare: expected metrics of {', '.join(missing)} in {file}; reproduce them without it first"
        )
    if other := [one.recipe for one in every.values() if one.recipe in known and not known[one.recipe].fits(one)]:
        raise ConfigError(f"{file}: the metrics of {other[0]} are not those of {FILE}; remove them, or the file")
    if not compare:
        _refuse_unwritable(page)  # before hours of training
    found: dict[str, Measured] = {}
    for what in chosen:
        training = Training.of(what, given, anew=bool(compare))
        if status := training.run():
            return status
        records = read_sweep(training.folder).records
        found[what.recipe] = measured(what, records, training.command, processor())
        if not compare:  # after each recipe: an interruption loses none
            known[what.recipe] = found[what.recipe]
            _write(page, known, what, records)
    return compared(as_recorded(chosen, known, found), as_recorded(chosen, found)) if compare else 0


def _chosen(every: Mapping[str, Reproduction], names: Sequence[str], minutes: str | None) -> list[Reproduction]:
    for name in names:
        if name not in every:
            raise ConfigError(unknown(f"{name}: no such recipe", nearest(name, every), every))
    chosen = [every[name] for name in names] or [*every.values()]
    try:
        most = float(minutes or "inf")
    except ValueError as error:
        raise ConfigError(f"minutes: expected a number, found {minutes}") from error
    if short := [one for one in chosen if one.minutes <= most]:
        return short
    raise ConfigError(f"minutes: expected at least {min(one.minutes for one in chosen):g}, found {minutes}")


@final
@dataclass(frozen=True)
class Training:
    """A recipe as a sweep over its seeds, and the evaluation of its runs.

    arguments: of `latentlab train`. places: further ones, on which no metric depends, such as the folder of the data.
    """

    what: Reproduction
    arguments: list[str]
    places: list[str]
    folder: Path

    @classmethod
    def of(cls, what: Reproduction, given: list[str], anew: bool) -> Training:
        """anew: whether the sweep has a name of its own, so that no finished run is taken."""
        from latentlab.config.composition import new_run_name

        keys = [one for one in given if "=" in one and one.partition("=")[0] not in OWN]
        places = [one for one in keys if one.startswith(("paths.", "data.root="))]
        changes = [one for one in keys if one not in places]
        parts = ["reproduce", what.recipe, f"{crc32(' '.join(changes).encode()):08x}" if changes else ""]
        name = "_".join(filter(None, [*parts, new_run_name() if anew else ""]))
        seeds = f"seed={value_of('seeds', given) or '0,1,2'}"
        arguments = [*what.command, *changes, seeds, f"sweep.name={name}"]
        return cls(what, arguments, places, sweep_folder(name, given))

    @property
    def command(self) -> str:
        """As a shell reads it."""
        train = f"latentlab train {shlex.join(self.arguments)}"
        return f"{train}\nlatentlab evaluate RUN samples={self.what.samples}" if self.what.samples else train

    def run(self) -> int:
        """Train what is missing, evaluate, and return the exit status."""
        print(f"{self.what.recipe}: {self.command}", flush=True)
        status = run_hydra(job, "train", [*self.arguments, *self.places], sweeps=True)
        return status or self._evaluate()

    def _evaluate(self) -> int:
        """Measure the runs that were not measured with as many codes per image yet."""
        from latentlab.commands import evaluate

        places = [one for one in self.places if one.startswith("paths.")]
        for record in read_sweep(self.folder).records if self.what.samples else ():
            used = record.value("test/nll_samples", "test/nll_binarized_samples")
            if record.is_complete and used != self.what.samples:
                status = evaluate.main([f"run={record.folder}", f"samples={self.what.samples}", *places])
                if status:
                    return status
        return 0


def _refuse_unwritable(page: Path) -> None:
    place = next(folder for folder in page.absolute().parents if folder.exists())
    if not (place.is_dir() and os.access(place, os.W_OK)):
        raise UserError(f"page: expected a folder that can be written to, found {place}; set page=FILE")


def _write(page: Path, known: dict[str, Measured], what: Reproduction, records: Iterable[Record]) -> None:
    """The page, the file of metrics and the recipe's picture, of the first run that its first metric belongs to."""
    every = read_reproductions(config_dir() / FILE).values()
    folder = page.with_suffix("")
    of = [record for record in records if what.claims[0].is_of(record.overrides)]
    shown = next((record.pictures[what.picture] for record in of if what.picture in record.pictures), None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shown:
            shutil.copyfile(shown, folder / f"{what.recipe}.png")
        pictures = {file.stem: f"{folder.name}/{file.name}" for file in folder.glob("*.png")}
        write_measured(page.with_suffix(".json"), known)
        write_atomically(page, results_page(every, known, pictures))
    except OSError as error:
        raise UserError(f"page: cannot write {page} ({error.strerror})") from error
    print(f"written: {page}", flush=True)

"""A run's folder, evaluated: figures into its metrics.json, pictures into its figures/, both to its loggers."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

import torch
from lightning.pytorch.loggers import Logger
from rich import progress as rich

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.subject import Subject
from latentlab.evaluation.suites import SUITES, Suite, SuiteName
from latentlab.runs import Run
from latentlab.runs.files import for_json
from latentlab.training.tracking import log_figure

log = logging.getLogger(__name__)

PREFIX = "evaluation"  # of the pictures' keys, beside those that training draws


@final
class _Course:
    """How long each measurement and picture took, and why those that do not apply were left out."""

    def __init__(self, advance: Callable[[str], None]) -> None:
        self._advance = advance
        self.left_out: dict[str, str] = {}
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """One measurement or picture; NotApplicable ends here."""
        started = time.perf_counter()
        try:
            with torch.no_grad():
                yield
        except NotApplicable as reason:
            self.left_out[name] = str(reason)
            log.info("left out: %s, as %s", name, reason)
        else:
            self.seconds[name] = round(time.perf_counter() - started, 2)
        self._advance(name)


def evaluate(run: Run, subject: Subject, suite: SuiteName, loggers: Sequence[Logger], quiet: bool) -> dict[str, Any]:
    """Measure, draw, record; returns what `metrics.json` then holds.

    The figures join those of the run's own test, as `test/NAME`. What does not apply to the model is named with its
    reason under `evaluation.left_out`, and its figures are absent.
    """
    chosen, metrics = SUITES[suite], run.metrics or {}
    step = int(metrics.get("steps", 0))
    metrics.pop("evaluation", None)  # an earlier one, until this one is done
    figures: dict[str, float] = {}
    with _progress(chosen, quiet) as advance:
        course = _Course(advance)
        for name, measure in chosen.measurements.items():
            with course.part(name):
                figures |= {f"test/{key}": value for key, value in measure(subject)}
        for logger in loggers:
            logger.log_metrics(figures, step)
        metrics["metrics"] = dict(sorted({**metrics.get("metrics", {}), **for_json(figures)}.items()))
        run.write_metrics(metrics)  # whatever becomes of the pictures
        for name, draw in chosen.pictures.items():
            with course.part(f"picture {name}"):
                log_figure(loggers, run.folder, f"{PREFIX}/{name}", draw(subject), step)
    for logger in loggers:
        logger.save()
    metrics["evaluation"] = {
        "suite": suite,
        "binarize": subject.data.binarize,
        "left_out": course.left_out,
        "seconds": course.seconds,
    }
    run.write_metrics(metrics)
    return metrics


@contextmanager
def _progress(suite: Suite, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A bar that a call with the name of what is done moves on."""
    if quiet:
        yield lambda name: None
        return
    columns = (rich.TextColumn("evaluating"), rich.BarColumn(bar_width=None), rich.TextColumn("{task.description}"))
    with rich.Progress(*columns, rich.TimeElapsedColumn(), transient=True) as bar:
        task = bar.add_task("", total=len(suite.measurements) + len(suite.pictures))
        yield lambda name: bar.update(task, advance=1, description=name)

"""A run's folder, evaluated: figures into its metrics.json, pictures into its figures/, both to its loggers."""

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch.loggers import Logger
from rich import progress as rich

from latentlab.evaluation.subject import Subject
from latentlab.evaluation.suites import SUITES, Suite, SuiteName
from latentlab.metrics.applicability import NotApplicable
from latentlab.runs import Run
from latentlab.tracking import log_figure

log = logging.getLogger(__name__)

PREFIX = "evaluation"  # of the pictures' keys, beside those that training draws
Advance = Callable[[str], None]


def evaluate(run: Run, subject: Subject, suite: SuiteName, loggers: Sequence[Logger], quiet: bool) -> dict[str, Any]:
    """Measure, draw, record; returns what `metrics.json` then holds.

    The figures join those of the run's own test, as `test/NAME`. What does not apply to the model is named with its
    reason under `evaluation.left_out`, and its figures are absent.
    """
    chosen = SUITES[suite]
    metrics = run.metrics or {}
    step = int(metrics.get("steps", 0))
    left_out: dict[str, str] = {}
    seconds: dict[str, float] = {}
    with _progress(chosen, quiet) as advance:
        figures = _measure(subject, chosen, left_out, seconds, advance)
        for logger in loggers:
            logger.log_metrics(figures, step)
        _draw(run, subject, chosen, loggers, step, left_out, seconds, advance)
    for name, reason in left_out.items():
        log.info("left out: %s, as %s", name, reason)
    for logger in loggers:
        logger.save()
    known = {name: value if math.isfinite(value) else None for name, value in figures.items()}
    metrics["metrics"] = dict(sorted({**metrics.get("metrics", {}), **known}.items()))
    metrics["evaluation"] = {
        "suite": suite,
        "binarize": subject.data.binarize,
        "left_out": left_out,
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
    }
    run.write_metrics(metrics)
    return metrics


def _measure(
    subject: Subject, suite: Suite, left_out: dict[str, str], seconds: dict[str, float], advance: Advance
) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, measure in suite.measurements.items():
        with _timed(name, left_out, seconds):
            figures |= {f"test/{key}": value for key, value in measure(subject)}
        advance(name)
    return figures


def _draw(
    run: Run,
    subject: Subject,
    suite: Suite,
    loggers: Sequence[Logger],
    step: int,
    left_out: dict[str, str],
    seconds: dict[str, float],
    advance: Advance,
) -> None:
    for name, draw in suite.pictures.items():
        with _timed(f"picture {name}", left_out, seconds):
            log_figure(loggers, run.folder, f"{PREFIX}/{name}", draw(subject), step)
        advance(name)


@contextmanager
def _timed(name: str, left_out: dict[str, str], seconds: dict[str, float]) -> Iterator[None]:
    """Note how long it took, or why it does not apply."""
    started = time.perf_counter()
    try:
        with torch.no_grad():
            yield
    except NotApplicable as reason:
        left_out[name] = str(reason)
    else:
        seconds[name] = time.perf_counter() - started


@contextmanager
def _progress(suite: Suite, quiet: bool) -> Iterator[Advance]:
    total = len(suite.measurements) + len(suite.pictures)
    if quiet:
        yield lambda name: None
        return
    columns = (rich.TextColumn("evaluating"), rich.BarColumn(bar_width=None), rich.TextColumn("{task.description}"))
    with rich.Progress(*columns, rich.TimeElapsedColumn(), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda name: bar.update(task, advance=1, description=name)

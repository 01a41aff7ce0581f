"""The evaluation of a run: metrics into its metrics.json, pictures into its figures/, both to its loggers."""

import logging
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import itemgetter
from typing import Any, final

import torch
from lightning.pytorch.loggers import Logger
from rich import progress as rich

from latentlab.errors import ConfigError
from latentlab.evaluation.measurements import Measurement
from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.subject import Subject
from latentlab.evaluation.suites import SUITES, Suite, SuiteName
from latentlab.models.checkpoint_file import weights_fingerprint
from latentlab.runs import Run
from latentlab.runs.layout import EVALUATION
from latentlab.runs.reservations import reservations
from latentlab.training.tracking import flush, log_figure

log = logging.getLogger(__name__)

# the metrics of the log line
SHOWN = (
    *("test/nll", "test/nll_binarized", "test/linear_probe_error", "test/knn_error"),
    *("test/frechet_prior", "test/completeness", "test/mse_pca"),
)


@final
class _Steps:
    """The seconds of each measurement and picture, and the reasons of those that were skipped."""

    def __init__(self, advance: Callable[[str, str], None]) -> None:
        self._advance = advance
        self.skipped: dict[str, str] = {}
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One measurement or picture, which is skipped where it raises NotApplicable."""
        started = time.perf_counter()
        try:
            with torch.no_grad():
                yield
        except NotApplicable as reason:
            self.skipped[name] = str(reason)
            self._advance(name, f"skipped, as {reason}")
        else:
            self.seconds[name] = round(time.perf_counter() - started, 2)
            self._advance(name, f"{self.seconds[name]:.1f} s")


def evaluate(
    run: Run,
    subject: Subject,
    suite: SuiteName,
    own: Mapping[str, Measurement],
    loggers: Sequence[Logger],
    quiet: bool,
) -> dict[str, Any]:
    """Compute and log the metrics and pictures; returns the new content of `metrics.json`.

    own: the user's own measurements, beside those of the suite.

    The metrics are added to those of the run's own test, as `test/NAME`, in place of what the same measurements found
    earlier. Measurements and pictures that do not apply to the model are listed with the reason under
    `evaluation.skipped`. What an earlier evaluation found by steps that this one does not have stays.
    """
    chosen, content = SUITES[suite].with_measurements(own), run.metrics or {}
    step, known = int(content.get("steps", 0)), content.get("metrics", {})
    earlier = content.pop("evaluation", None) or {}
    listed = _listed_metrics(earlier)
    of_users = {f"test/{metric}" for name in listed.keys() - SUITES["full"].measurements for metric in listed[name]}
    found: dict[str, float] = {}
    with _progress(chosen, quiet) as advance:
        steps = _Steps(advance)
        try:
            for name, metrics in _measured(chosen, subject, own, known.keys() - of_users, steps):
                outdated = {f"test/{metric}" for metric in listed.pop(name, ())}
                known = {metric: value for metric, value in known.items() if metric not in outdated}
                found |= {f"test/{metric}": value for metric, value in metrics.items()}
                # a metric belongs to the measurement that found it last
                listed = {other: [metric for metric in some if metric not in metrics] for other, some in listed.items()}
                listed |= {name: list(metrics)} if metrics else {}
        finally:  # an evaluation that is stopped or fails loses nothing; without a suite it is not complete
            content |= {"metrics": {**known, **found}, "evaluation": {**earlier, "metrics": listed}}
            run.write_metrics(content)
        _log(found, loggers, step)
        for name, draw in chosen.pictures.items():
            with steps.step(f"picture {name}"):
                log_figure(loggers, run.folder, f"{EVALUATION}/{name}", draw(subject), step)
    flush(loggers)
    content["evaluation"] = {
        "suite": "full" if earlier.get("suite") == "full" else suite,
        "binarize": subject.data.binarize,
        "metrics": listed,
        "skipped": {**_of_others(earlier, "skipped", steps), **steps.skipped},
        "seconds": {**_of_others(earlier, "seconds", steps), **steps.seconds},
    }
    slowest = max(steps.seconds.items(), key=itemgetter(1), default=("", 0.0))
    log.info("evaluated in %.0f s, of which %.0f s for %s", sum(steps.seconds.values()), slowest[1], slowest[0])
    return run.write_metrics(content)


def _measured(
    suite: Suite, subject: Subject, own: Mapping[str, Measurement], taken: Collection[str], steps: _Steps
) -> Iterator[tuple[str, dict[str, float]]]:
    """Each measurement with its metrics; one that does not apply has none.

    taken: names that metrics of the user's own may not have.
    """
    names = set(taken)
    for name, measurement in suite.measurements.items():
        metrics: dict[str, float] = {}
        with steps.step(name):
            metrics = _of_users(name, measurement, subject, names) if name in own else dict(measurement(subject))
        names |= {f"test/{metric}" for metric in metrics}
        yield name, metrics


def _listed_metrics(earlier: Mapping[str, Any]) -> dict[str, list[str]]:
    """{measurement: names of its metrics} of an earlier evaluation; empty where the file has none."""
    listed = earlier.get("metrics", earlier.get("figures"))  # the key until 0.2.0
    return {name: some for name, some in listed.items() if isinstance(some, list)} if isinstance(listed, dict) else {}


def _of_others(earlier: Mapping[str, Any], key: str, steps: _Steps) -> dict[str, Any]:
    """What an earlier evaluation lists under the key of steps that were not repeated."""
    found = earlier.get(key)
    done = steps.skipped.keys() | steps.seconds.keys()
    return {name: value for name, value in found.items() if name not in done} if isinstance(found, dict) else {}


def _of_users(name: str, measurement: Measurement, subject: Subject, taken: Collection[str]) -> dict[str, float]:
    """The metrics of a measurement of the user's own.

    Raises:
        ConfigError: see `_checked`; or it has changed the model, with which the others would go on.
    """
    before, skipped = weights_fingerprint(subject.model.state_dict()), None
    metrics: dict[str, float] = {}
    try:
        metrics = _checked(name, measurement(subject), taken)
    except NotApplicable as reason:
        skipped = reason
    subject.model.eval()
    if weights_fingerprint(subject.model.state_dict()) != before:
        raise ConfigError(f"measurements.{name}: changed the model; let it work on copy.deepcopy(model)")
    if skipped is not None:
        raise skipped
    return metrics


def _checked(name: str, metrics: object, taken: Collection[str]) -> dict[str, float]:
    """What a measurement of the user's own has found.

    Raises:
        ConfigError: they are no pairs of a name and a number, or a name is taken.
    """
    # outside the try: an error in their own code is no mistake in what it returns
    pairs: list[Any] = list(metrics) if isinstance(metrics, Iterable) else [metrics]
    try:
        found = {metric: float(value) for metric, value in pairs}
        if len(found) < len(pairs):
            raise ValueError("a name twice")
    except (TypeError, ValueError) as error:
        raise ConfigError(f"measurements.{name}: expected pairs (name, number), found otherwise: {error}") from error
    for metric in found:
        if not isinstance(metric, str) or not re.fullmatch(r"\w[\w.-]*", metric, re.ASCII):
            raise ConfigError(f"measurements.{name}: expected names of letters, digits, _, . and -, found {metric!r}")
        if f"test/{metric}" in taken:
            raise ConfigError(f"measurements.{name}: the run has a metric {metric} already; choose another name")
    return found


def _log(metrics: dict[str, float], loggers: Sequence[Logger], step: int) -> None:
    for logger in loggers:
        logger.log_metrics(metrics, step)
    shown = [f"{name} {metrics[name]:.5g}" for name in SHOWN if name in metrics]
    log.info("%s", "  ".join(shown) or "no metric applies")
    for line in reservations([metrics]):
        log.warning("%s", line)


@contextmanager
def _progress(suite: Suite, quiet: bool) -> Iterator[Callable[[str, str], None]]:
    """A progress bar, or a log line per step; to be called with the name of a finished step and how it ended."""
    if quiet:
        yield partial(log.info, "%s: %s")
        return
    columns = (rich.TextColumn("evaluating"), rich.BarColumn(bar_width=None), rich.TextColumn("{task.description}"))
    with rich.Progress(*columns, rich.TimeElapsedColumn(), transient=True) as bar:
        task = bar.add_task("", total=len(suite.measurements) + len(suite.pictures))
        yield lambda name, _: bar.update(task, advance=1, description=name)

"""What is drawn of a whole sweep when its last job has ended: callbacks of Hydra's, named by a recipe."""

import logging
from pathlib import Path
from typing import Any, final

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from latentlab.runs import Run

log = logging.getLogger(__name__)

AXES = ("test/rate", "test/distortion")


@final
class DrawFrontier(Callback):
    """Rate against distortion of the sweep's models, as `rate_distortion.png` in its folder.

    Models without a posterior, and jobs that did not end well, have no point.
    """

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        folder = Path(config.hydra.sweep.dir)
        runs = _complete_runs(folder)
        names = what_varies([run.folder.name for run in runs])
        points = {name: place for name, run in zip(names, runs, strict=True) if (place := _place(run)) is not None}
        if not points:
            log.warning("no rate_distortion.png: no job of %s has a rate and a distortion; see evaluate=quick", folder)
            return
        from latentlab.figures import rate_distortion
        from latentlab.tracking import write_figure

        line = f"{len(points)} models of the sweep {folder.name}, official test images; weights 1 for the ELBO."
        write_figure(folder / "rate_distortion.png", rate_distortion(points, "Rate and distortion", line))


def what_varies(folders: list[str]) -> list[str]:
    """The jobs' folders by the settings that not all of them share; as they are where nothing is left."""
    parts = [folder.split(",") for folder in folders]
    shared = set(parts[0]).intersection(*parts[1:]) if len(parts) > 1 else set()
    return [",".join(part for part in own if part not in shared) or ",".join(own) for own in parts]


def _complete_runs(folder: Path) -> list[Run]:
    return [Run(file.parent) for file in sorted(folder.glob("*/metrics.json"))]


def _place(run: Run) -> tuple[float, float] | None:
    """Rate and distortion, in nats an image; None where the run has none."""
    figures = (run.metrics or {}).get("metrics", {})
    rate, distortion = (figures.get(name) for name in AXES)
    return None if rate is None or distortion is None else (rate, distortion)

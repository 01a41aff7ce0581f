"""A run in Python: its metrics, curves, pictures and model."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from latentlab.report.embedding import embedded
from latentlab.runs import Run

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from pandas import DataFrame

    from latentlab.data.base import ImageDataModule
    from latentlab.models.base import Autoencoder

SHOWN = ("test/objective", "test/mse", "test/bce", "test/kl", "test/elbo", "test/nll")  # in a notebook
WIDTH = 840  # pixels of a picture in a notebook, which shows it at half its pixels


@final
class TrainedRun:
    """What `train` and `load` return; a notebook shows it as a table and its pictures.

    Everything is read from the run's folder when it is asked for, also of a run that was stopped.
    """

    def __init__(self, folder: str | Path) -> None:
        self._run = Run(Path(folder).absolute())
        self._run.refuse_other_folder()

    @property
    def folder(self) -> Path:
        return self._run.folder

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def status(self) -> str:
        """complete, running, interrupted, failed, pruned or unknown."""
        return self._run.status["status"]

    @property
    def config(self) -> DictConfig:
        """The resolved config."""
        return self._run.config

    @property
    def metrics(self) -> dict[str, float]:
        """The final metrics by name, such as `test/elbo`, those of an evaluation included; empty until it is complete.

        A metric that is not finite is NaN.
        """
        found = (self._run.metrics or {"metrics": {}})["metrics"]
        return {name: float("nan") if value is None else value for name, value in found.items()}

    @property
    def history(self) -> DataFrame:
        """The learning curves: a row per epoch, a column per metric."""
        from pandas import DataFrame

        epochs, _ = self._run.read_history()
        rows = [
            {"epoch": int(epoch), **{k: v for k, v in row.items() if k != "epoch"}} for epoch, row in epochs.items()
        ]
        return DataFrame(rows).set_index("epoch") if rows else DataFrame()

    @property
    def figures(self) -> dict[str, Path]:
        """The latest pictures by name, such as `samples`."""
        return {file.stem: file for file in self._run.figures}

    def model(self) -> Autoencoder:
        """The model with the weights that were tested, on the CPU, in eval mode and without gradients.

        Raises:
            UserError: there is no checkpoint, or it is damaged.
        """
        import torch

        from latentlab.commands.python.process import ONE_AT_A_TIME
        from latentlab.training.restore import load_model, trusted_config

        # by the generator, which is that of all threads, it gets weights before those of the checkpoint
        with ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
            return load_model(self._run, trusted_config(self._run)).requires_grad_(False)

    def data(self, data_root: str | Path | None = None) -> ImageDataModule:
        """The data that it was trained on, loaded: `data().test.pixels`, `data().test_dataloader()`.

        data_root: its folder, or its file of arrays, if it has moved since.

        Raises:
            UserError: it is missing, damaged, or holds other images than those of the training.
        """
        from latentlab.training.restore import load_data, trusted_config

        return load_data(self._run, trusted_config(self._run), None if data_root is None else str(data_root))

    def __repr__(self) -> str:
        summary = ", ".join(f"{name} {value}" for name, value in self._summary().items())
        return f"TrainedRun({os.path.relpath(self.folder)!r}: {summary})"

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in self._summary().items()
        )
        pictures = "".join(
            f'<figure style="display:inline-block;margin:4px"><img width="{WIDTH // 2}" alt="{html.escape(name)}" '
            f'src="{embedded(file, WIDTH, sharp=True).source}"></figure>'
            for name, file in self.figures.items()
        )
        return f"<table>{cells}</table>{pictures}"

    def _summary(self) -> dict[str, str]:
        results: dict[str, Any] = self._run.metrics or {}
        metrics, config = self.metrics, self.config
        return {
            "variant": config.model._target_.rpartition(".")[2],
            "data": results.get("data") or config.data._target_.rpartition(".")[2],
            "status": self.status,
            "epochs": str(results.get("epochs", "-")),
            **{name: f"{metrics[name]:.5g}" for name in SHOWN if name in metrics},
        }

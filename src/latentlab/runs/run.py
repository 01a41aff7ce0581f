"""A run's folder: what it holds, how it is written without ever leaving half a file, and how it is read back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from latentlab.errors import UserError
from latentlab.runs import layout
from latentlab.runs.documents import Damaged, json_object, json_of, number, text_of, yaml_of
from latentlab.runs.files import for_json, remove_drafts, write_atomically
from latentlab.runs.lock import is_held
from latentlab.runs.stamp import FORMAT, stamp

if TYPE_CHECKING:
    from omegaconf import DictConfig

STATUSES = ("complete", "running", "interrupted", "failed", "pruned")
NUMBER = int | float | None  # a metric; None where it was not finite
MAX_LINES = 100_000  # of a history
# of the final metrics; all but the first two may be missing
KINDS: dict[str, Any] = {
    "metrics": dict, "epochs": int, "versions": dict, "evaluation": dict, "steps": int, "checkpoint": str | None
}  # fmt: skip


@final
class Run:
    """One run's folder, whose files `layout` names.

    The config is written when the run starts, `status.json` whenever its status changes, a line of the history with
    every epoch, and `metrics.json` at the end: where it is, the run is complete. An evaluation writes it again.

    The methods `read_...` raise `Damaged`, whose message names the file within the folder; the properties raise
    UserError with the whole path and the way out.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def config_file(self) -> Path:
        return self.folder / layout.CONFIG

    @property
    def status_file(self) -> Path:
        return self.folder / layout.STATUS

    @property
    def metrics_file(self) -> Path:
        return self.folder / layout.METRICS

    def refuse_other_folder(self, key: str = "") -> None:
        """Raise UserError where the folder is no run's. key: what it was given as, such as "run: "."""
        if not self.config_file.is_file():
            why = f"no {layout.CONFIG} in it" if self.folder.exists() else "it does not exist"
            raise UserError(f"{key}{self.folder} is not a run's folder: {why}")

    @property
    def holds_anything(self) -> bool:
        """Whether there is anything that only a run leaves."""
        return any(os.path.isfile(file) for file in (self.config_file, self.status_file, self.metrics_file))

    @property
    def config(self) -> DictConfig:
        """The resolved config.

        Raises:
            UserError: the folder is no run's, or the file is damaged.
        """
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        self.refuse_other_folder()
        try:
            resolved: Any = OmegaConf.to_container(OmegaConf.create(self.read_config()), resolve=True)
            return OmegaConf.create(resolved)
        except (Damaged, OmegaConfBaseException, ValueError) as error:
            raise UserError(f"{self.config_file} is damaged; start a new run") from error

    def read_config(self) -> dict[str, Any]:
        """The resolved config, of plain types."""
        content = yaml_of(self.config_file)
        if not isinstance(content, dict) or not content.keys() >= {"model", "data", "trainer"}:
            raise Damaged(f"{self.config_file.name} is damaged (no config of a run)")
        return content

    def read_overrides(self) -> list[str]:
        """The overrides of the command line that started the run, such as "model.beta=2"."""
        content = yaml_of(self.folder / layout.OVERRIDES)
        if not isinstance(content, list) or not all(isinstance(line, str) for line in content):
            raise Damaged(f"{Path(layout.OVERRIDES).name} is damaged (expected a list of overrides)")
        return content

    @property
    def metrics(self) -> dict[str, Any] | None:
        """The final metrics; None while the run is not complete."""
        if not self.metrics_file.is_file():
            return None
        with self._with_way_out():
            content = self.read_metrics() or {}
            for key, kind in KINDS.items():
                if key in content and not isinstance(content[key], kind):
                    raise Damaged(f"{layout.METRICS} is damaged ({key} is {str(content[key])[:40]!r})")
            for key in ("metrics", "epochs"):
                if key not in content:
                    raise Damaged(f"{layout.METRICS} is damaged (no {key} in it)")
            if wrong := [name for name, value in content["metrics"].items() if not isinstance(value, NUMBER)]:
                raise Damaged(f"{layout.METRICS} is damaged ({wrong[0]} is not a number)")
            return content

    def read_metrics(self) -> dict[str, Any] | None:
        """The object in `metrics.json`; None where there is no such file."""
        return json_of(self.metrics_file) if self.metrics_file.exists() else None

    @property
    def status(self) -> dict[str, str]:
        """{"status": one of `STATUSES` or "unknown", "reason": ...}."""
        with self._with_way_out():
            status, reason = self.read_status()
            return {"status": status, "reason": reason}

    def read_status(self) -> tuple[str, str]:
        """Status and reason; "unknown" where none was written, "interrupted" where the running process has exited."""
        if not self.status_file.exists():
            return "unknown", ""
        content = json_of(self.status_file)
        status, reason = content.get("status"), content.get("reason")
        if status not in STATUSES:
            raise Damaged(f"{layout.STATUS} is damaged (status {str(status)[:40]!r})")
        if status == "running" and not is_held(self.folder):
            return "interrupted", "its process exited without writing a status"
        return status, reason if isinstance(reason, str) else ""

    @property
    def stamp(self) -> dict[str, Any]:
        """The content of `status.json`, with the format and the version of latentlab; empty where it has none."""
        try:
            return json_of(self.status_file) if self.status_file.exists() else {}
        except Damaged:  # it is replaced
            return {}

    def read_history(self) -> tuple[dict[float, dict[str, Any]], bool]:
        """{epoch: its metrics}, and whether lines were skipped, an unfinished last one aside.

        An epoch's lines are merged; of two values of one metric the later one counts.
        """
        file = self.folder / layout.HISTORY
        lines = text_of(file).split("\n") if file.exists() else []
        epochs: dict[float, dict[str, Any]] = {}
        is_damaged = len(lines) > MAX_LINES
        for index, line in enumerate(lines[:MAX_LINES]):
            if not line.strip():
                continue
            try:
                row = json_object(line, file.name)
                epoch = number(row.get("epoch"))
            except Damaged:
                epoch = None
            if epoch is not None:
                epochs[epoch] = epochs.get(epoch, {}) | row
            elif index < len(lines) - 1:
                is_damaged = True
        return epochs, is_damaged

    @property
    def figures(self) -> list[Path]:
        """The latest pictures."""
        return sorted((self.folder / layout.FIGURES).glob("*.png"))

    @property
    def figures_by_epoch(self) -> dict[str, dict[int, Path]]:
        """{name of a picture: {epoch: file}}, in order, of the pictures that were kept during training."""
        before, after = layout.EPOCH_PICTURE.split("{:04d}")
        found: dict[str, dict[int, Path]] = {}
        for file in (self.folder / layout.FIGURES).glob(f"*/{before}*{after}"):
            epoch = file.name[len(before) : -len(after)]
            if epoch.isascii() and epoch.isdigit():
                found.setdefault(file.parent.name, {})[int(epoch)] = file
        return {name: dict(sorted(epochs.items())) for name, epochs in sorted(found.items())}

    @property
    def last_checkpoint(self) -> Path | None:
        """From which a resumed run continues; None before the first is saved."""
        return self._checkpoint(layout.LAST)

    @property
    def best_checkpoint(self) -> Path | None:
        """The checkpoint that was tested, as `metrics.json` records it; before the test, `best.ckpt` if it is there."""
        recorded = (self.metrics or {}).get("checkpoint")
        if recorded is None:
            return self._checkpoint(layout.BEST)
        # until 0.2.0 the way to it led out of a folder that was reached through a link
        files = (self.folder / recorded, self.folder / layout.CHECKPOINTS / Path(recorded).name)
        return next((file for file in files if file.is_file()), None)

    @property
    def tested_weights(self) -> str:
        """Best, or last where the last epoch was the best one or none is known as the best."""
        return "last" if self.best_checkpoint in (None, self.last_checkpoint) else "best"

    def start(self, config: DictConfig) -> None:
        """Write the resolved config and the status.

        Raises:
            UserError: the folder cannot be written.
        """
        from omegaconf import OmegaConf

        try:
            write_atomically(self.config_file, OmegaConf.to_yaml(config, resolve=True))
            self.write_status("running")
        except OSError as error:
            raise UserError(f"paths.output_dir: cannot write to {self.folder}: {error.strerror}") from error

    def remove_drafts(self) -> None:
        """Delete what a killed process left of unfinished writes; only under the folder's lock."""
        figures = self.folder / layout.FIGURES
        kept = (path for path in figures.glob("*") if path.is_dir())  # the pictures of every epoch
        remove_drafts(self.folder, self.config_file.parent, self.folder / layout.CHECKPOINTS, figures, *kept)

    def clear(self) -> None:
        """Delete what an attempt left that is not resumed; its log is kept."""
        self.config_file.unlink(missing_ok=True)  # first: without it, nothing that is left will be resumed
        for path in self.folder.iterdir():
            if path.is_dir() and path.name != layout.HYDRA:
                shutil.rmtree(path)
            elif path.is_file() and path.suffix != layout.LOG_SUFFIX and not path.name.startswith(layout.LOCK):
                path.unlink()

    def write_status(self, status: str, reason: str = "") -> None:
        write_atomically(self.status_file, json.dumps({"status": status, "reason": reason, **stamp()}) + "\n")

    def complete(self, content: dict[str, Any]) -> dict[str, Any]:
        """Write `metrics.json` and the status; returns the content as it was written, see `write_metrics`."""
        written = self.write_metrics(content)
        self.write_status("complete")
        return written

    def write_metrics(self, content: dict[str, Any]) -> dict[str, Any]:
        """Write `metrics.json`, its values sorted by name and null where they are not finite; returns its content."""
        content = {**content, "metrics": dict(sorted(for_json(content["metrics"]).items())), "format": FORMAT}
        write_atomically(self.metrics_file, json.dumps(content, indent=2) + "\n")
        return content

    def _checkpoint(self, name: str) -> Path | None:
        file = self.folder / layout.CHECKPOINTS / f"{name}{layout.CHECKPOINT_SUFFIX}"
        return file if file.is_file() else None

    @contextmanager
    def _with_way_out(self) -> Iterator[None]:
        try:
            yield
        except Damaged as error:
            raise UserError(f"{self.folder}/{error}; delete it, and resume the run to recreate it") from error

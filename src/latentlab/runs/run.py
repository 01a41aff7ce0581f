"""A run's folder: what it holds, how it is written without ever leaving half a file, and how it is read back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.errors import UserError
from latentlab.runs.files import write_atomically
from latentlab.runs.lock import is_held

if TYPE_CHECKING:
    from omegaconf import DictConfig


HISTORY = "history.jsonl"


class Run:
    """One run's folder.

    `.hydra/resolved.yaml` the config, `checkpoints/`, `figures/`, `history.jsonl` the learning curves, `status.json`
    how it stands, and `metrics.json`, which is written once, at the end: where it is, the run is complete.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def config_file(self) -> Path:
        return self.folder / ".hydra" / "resolved.yaml"

    @property
    def config(self) -> DictConfig:
        """The resolved config.

        Raises:
            UserError: the folder is no run's, or the file is damaged.
        """
        from omegaconf import DictConfig, OmegaConf
        from omegaconf.errors import OmegaConfBaseException
        from yaml import YAMLError  # type: ignore[import-untyped]

        from latentlab.runs.documents import Damaged, yaml_of

        if not self.config_file.is_file():
            raise UserError(f"{self.folder} is not a run's folder: no .hydra/resolved.yaml in it")
        try:
            yaml_of(self.config_file)  # bounded: a few lines of aliases could unfold without end
            config = OmegaConf.load(self.config_file)
        except (Damaged, YAMLError, OmegaConfBaseException, ValueError, OSError):
            config = OmegaConf.create()
        if not isinstance(config, DictConfig) or not config.keys() >= {"model", "data", "trainer"}:
            raise UserError(f"{self.config_file} is damaged; start a new run")
        return config

    @property
    def metrics(self) -> dict[str, Any] | None:
        """The final figures; None while the run is not complete."""
        file = self.folder / "metrics.json"
        return _read_json(file, {"metrics": dict, "epochs": int}) if file.is_file() else None

    @property
    def status_file(self) -> Path:
        return self.folder / "status.json"

    @property
    def status(self) -> dict[str, Any]:
        """{"status": "running" | "interrupted" | "failed" | "complete", "reason": ...}."""
        file = self.status_file
        known = _read_json(file, {"status": str, "reason": str}) if file.is_file() else {}
        found = {"status": "unknown", "reason": "", **known}
        if found["status"] == "running" and not is_held(self.folder):
            return {"status": "interrupted", "reason": "its process ended without a word"}
        return found

    @property
    def figures(self) -> list[Path]:
        """The latest pictures."""
        return sorted((self.folder / "figures").glob("*.png"))

    @property
    def last_checkpoint(self) -> Path | None:
        """Where a resumed run goes on from; None before the first is saved."""
        file = self.folder / "checkpoints" / "last.ckpt"
        return file if file.is_file() else None

    @property
    def best_checkpoint(self) -> Path | None:
        """The epoch with the lowest validation objective (every schedule at its end)."""
        file = self.folder / "checkpoints" / "best.ckpt"
        return file if file.is_file() else None

    def start(self, config: DictConfig) -> None:
        """Write the resolved config and the status.

        Raises:
            UserError: the folder cannot be written.
        """
        from omegaconf import OmegaConf

        try:
            self.config_file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.config_file, OmegaConf.to_yaml(config, resolve=True))
            self.write_status("running")
        except OSError as error:
            raise UserError(f"paths.output_dir: cannot write to {self.folder}: {error.strerror}") from error

    def clear(self) -> None:
        """Take away what an attempt left that is not gone on with; its log stays."""
        self.config_file.unlink(missing_ok=True)  # first: without it, nothing that is still there is gone on with
        for path in self.folder.iterdir():
            if path.is_dir() and path.name != ".hydra":
                shutil.rmtree(path)
            elif path.is_file() and path.suffix != ".log" and not path.name.startswith(".lock"):
                path.unlink()

    def write_status(self, status: str, reason: str = "") -> None:
        write_atomically(self.status_file, json.dumps({"status": status, "reason": reason}) + "\n")

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Complete the run."""
        write_atomically(self.folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
        self.write_status("complete")


def _read_json(file: Path, expected: Mapping[str, type]) -> dict[str, Any]:
    from latentlab.runs.documents import Damaged, json_of

    try:
        content = json_of(file)
        for key, kind in expected.items():
            if not isinstance(content.get(key), kind):
                raise Damaged(f"{file.name} is damaged (no {key} in it)")
    except Damaged as error:
        raise UserError(f"{file.parent}/{error}; delete it, and resume the run to have it anew") from error
    return content

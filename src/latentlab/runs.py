"""A run's folder: what it holds, how it is written without ever leaving half a file, and how it is read back."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pickle
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.errors import ConfigError, UserError
from latentlab.lock import is_held

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from latentlab.models.base import Autoencoder

HISTORY = "history.jsonl"
PACKAGES = ("latentlab", "torch", "torchvision", "lightning", "hydra-core")
MOST_LETTERS = 2**16  # of a line that is added to a file
# what may differ between a run and its continuation, and what does not make another experiment
PASSING = ("resume", "quiet", "evaluate", "paths", "logger", "callbacks", "sweep")


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

        from latentlab.comparison.documents import Damaged, yaml_of

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
    def status(self) -> dict[str, Any]:
        """{"status": "running" | "interrupted" | "failed" | "complete", "reason": ...}."""
        file = self.folder / "status.json"
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
        write_atomically(self.folder / "status.json", json.dumps({"status": status, "reason": reason}) + "\n")

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Complete the run."""
        write_atomically(self.folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
        self.write_status("complete")

    def model(self) -> Autoencoder:
        """The trained model: rebuilt from the config, with the best checkpoint's weights, on the CPU, in eval mode.

        Raises:
            UserError: the folder is no run's, or holds no checkpoint that fits and can be read.
        """
        import torch

        from latentlab.build import build_model

        file = self.best_checkpoint or self.last_checkpoint
        if file is None:
            raise UserError(f"{self.folder} holds no checkpoint; train it first: latentlab-train resume={self.folder}")
        try:
            checkpoint = torch.load(file, map_location="cpu", weights_only=True)
            data = checkpoint["data"]
        except (RuntimeError, EOFError, OSError, KeyError, pickle.UnpicklingError) as error:
            raise UserError(f"{file} is damaged ({type(error).__name__}); train the run anew") from error
        self.refuse_foreign_code()
        model = build_model(self.config, tuple(data["image_shape"]), data["num_classes"])
        try:
            model.load_state_dict(checkpoint["state_dict"])
        except RuntimeError as error:
            raise UserError(f"{file} does not fit the model of the run's own config; train it anew") from error
        return model.eval()

    def refuse_foreign_code(self) -> None:
        """Raise UserError where the config names a class or function that is no part of a run: it would be called."""
        from latentlab.cli.trusted import refuse_foreign_code

        refuse_foreign_code(_plain(self.config), self.config_file)

    def refuse_unfit_for_evaluation(self) -> None:
        """Raise UserError where the run is not complete, or was made by another version of latentlab."""
        metrics = self.metrics
        if metrics is None:
            raise UserError(
                f"run: {self.folder} is not complete (status: {self.status['status']}); "
                f"finish it first: latentlab-train resume={self.folder}"
            )
        made_by, here = metrics.get("versions", {}).get("latentlab"), version("latentlab")
        if made_by != here:
            raise UserError(
                f"run: {self.folder} was made by latentlab {made_by}, this is {here}; "
                f"evaluate it with latentlab {made_by}, or train it anew"
            )

    def refuse_other_config(self, config: DictConfig) -> None:
        """Raise ConfigError where `config` is not the one of this run; only the number of epochs may grow.

        Its loggers and callbacks may differ, and come out of the folder too: see `refuse_foreign_code`.
        """
        from latentlab.cli.trusted import refuse_foreign_code

        refuse_foreign_code(_plain(config), "resume")
        ours, theirs = (flat(_lasting(c)) for c in (self.config, config))
        ours.pop("trainer.max_epochs", None), theirs.pop("trainer.max_epochs", None)
        for key in sorted(ours.keys() | theirs.keys(), key=lambda key: (key.count("."), key)):  # seed before data.seed
            if ours.get(key) != theirs.get(key):
                raise ConfigError(
                    f"{key}: the run to resume has {ours.get(key)!r}, found {theirs.get(key)!r}; "
                    "leave it as it was, or start a new run"
                )


def _read_json(file: Path, expected: Mapping[str, type]) -> dict[str, Any]:
    from latentlab.comparison.documents import Damaged, json_of

    try:
        content = json_of(file)
        for key, kind in expected.items():
            if not isinstance(content.get(key), kind):
                raise Damaged(f"{file.name} is damaged (no {key} in it)")
    except Damaged as error:
        raise UserError(f"{file.parent}/{error}; delete it, and resume the run to have it anew") from error
    return content


def write_atomically(file: Path, content: str | bytes | memoryview) -> None:
    """Write a whole file or none.

    Raises:
        OSError: it cannot be written, as on a full disk; the error names the file.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(file)) from error
    finally:
        with suppress(OSError):  # where it could not even be made, it cannot be taken away
            draft.unlink(missing_ok=True)


def append_line(file: Path, line: str) -> None:
    """Add a whole line or none; half a line, as an earlier kill may have left at the end, is taken away.

    Raises:
        OSError: it cannot be written, as on a full disk; the error names the file.
    """
    try:
        with file.open("ab+", buffering=0) as stream:
            end = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, end - MOST_LETTERS))
            tail = stream.read()
            whole = end - len(tail) + tail.rfind(b"\n") + 1
            if whole < end:
                stream.truncate(whole)
            added = f"{line}\n".encode()
            if stream.write(added) != len(added):
                stream.truncate(whole)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from error


def flat(config: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings -> {"a.b": value}; lists stay values."""
    if not isinstance(config, dict):
        return {prefix: config}
    return {
        key: value
        for name, member in config.items()
        for key, value in flat(member, f"{prefix}.{name}" if prefix else str(name)).items()
    }


def config_hash(config: DictConfig | Mapping[str, Any]) -> str:
    """A short name for the experiment: equal where only paths, loggers, pictures or resumption differ."""
    plain = _plain(config)
    deciding = {
        name: {key: value for key, value in (node or {}).items() if key != "dirpath"}
        for name, node in (plain.get("callbacks") or {}).items()
        if not str((node or {}).get("_target_", "latentlab.")).startswith("latentlab.")  # ours decide nothing
    }
    told = json.dumps([_lasting(plain), deciding], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _plain(config: DictConfig | Mapping[str, Any]) -> dict[str, Any]:
    from omegaconf import DictConfig, OmegaConf

    plain: Any = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else config
    return dict(plain)


def _lasting(config: DictConfig | Mapping[str, Any]) -> dict[str, Any]:
    plain = _plain(config)
    kept = {key: value for key, value in plain.items() if key not in PASSING}
    for section, key in (("data", "root"), ("trainer", "default_root_dir")):
        kept[section] = {name: value for name, value in kept[section].items() if name != key}
    return kept


@cache
def git_revision() -> str | None:
    """The revision of the checkout, with `+` where it has changes, as the process first found it; None outside one."""
    here = Path(__file__).parent
    try:
        command = ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=5, check=True)
        tracked = subprocess.run(
            ["git", "ls-files", "--error-unmatch", Path(__file__).name], cwd=here, capture_output=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if tracked.returncode == 0 else None


def versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}

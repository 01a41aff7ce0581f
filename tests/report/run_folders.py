"""Run folders as training writes them, with any outcome, without training."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

CONFIG = {
    "model": {"_target_": "latentlab.models.vae.VAE", "latent_dim": 8, "beta": 1.0},
    "net": {
        "encoder": {"_target_": "latentlab.models.nets.mlp.MLPEncoder", "_partial_": True, "widths": [16]},
        "decoder": {"_target_": "latentlab.models.nets.mlp.MLPDecoder", "_partial_": True, "widths": [16]},
        "widths": [16],
    },
    "likelihood": {"_target_": "latentlab.functional.distributions.Bernoulli"},
    "data": {"_target_": "latentlab.data.digits.DigitsDataModule", "root": None, "batch_size": 8, "binarize": None},
    "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.001},
    "scheduler": {"_target_": "latentlab.functional.schedules.ConstantRate"},
    "trainer": {"devices": 1, "max_epochs": 3, "precision": "32-true", "default_root_dir": "somewhere"},
    "paths": {"output_dir": "outputs"},
    "logger": {"csv": {"name": "mine"}},
}


def write_run(
    folder: Path,
    metrics: Mapping[str, Any] | None,
    seed: int = 0,
    changes: Mapping[str, Any] | None = None,
    status: str = "complete",
    reason: str = "",
    curve: list[float] | None = None,
    pictures: tuple[str, ...] = (),
    epochs: tuple[int, ...] = (),
    evaluation: Mapping[str, Any] | None = None,
) -> Path:
    """A run's folder.

    changes: {"model.beta": 2.0}. metrics: names without test/, None for a run without metrics. epochs: of which the
    pictures were kept. evaluation: as in metrics.json, its suite and what was skipped.
    """
    config = json.loads(json.dumps(CONFIG)) | {"seed": seed}
    config["data"]["seed"] = seed
    config["paths"]["run_dir"] = str(folder)
    for key, value in (changes or {}).items():
        section, _, name = key.partition(".")
        config[section][name] = value
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "resolved.yaml").write_text(yaml.safe_dump(config))
    (folder / "status.json").write_text(json.dumps({"status": status, "reason": reason}))
    if metrics is not None:
        named = {f"test/{name}": value for name, value in metrics.items()}
        content = {"status": "complete", "metrics": named, "seed": seed, "train_seconds": 2.5, "parameters": 1000}
        content |= {"data": "digits", "epochs": 3, "evaluation": evaluation}
        (folder / "metrics.json").write_text(json.dumps(content))
    if curve is not None:
        rows = [{"epoch": k + 1, "step": k, "val/mse": value} for k, value in enumerate(curve)]
        (folder / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in pictures:
        (folder / "figures").mkdir(exist_ok=True)
        Image.new("RGB", (64, 32), (seed * 40 % 256, 90, 120)).save(folder / "figures" / f"{name}.png")
        for epoch in epochs:
            (folder / "figures" / name).mkdir(exist_ok=True)
            kept = folder / "figures" / name / f"epoch_{epoch:04d}.png"
            Image.new("RGB", (64, 32), (epoch % 256, 200, 0)).save(kept)
    return folder


def write_sweep(folder: Path, jobs: list[str], name: str = "a sweep") -> Path:
    """sweep.json over job folders such as "model.beta=1,seed=0"."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = [{"folder": job, "overrides": job.split(","), "config_hash": "0" * 16} for job in jobs]
    commands = [["model.beta=1,2", "seed=0"], ["net.widths=[16]", "seed=1"]]
    (folder / "sweep.json").write_text(json.dumps({"name": name, "commands": commands, "jobs": listed}))
    return folder


def beta_sweep(folder: Path, betas: tuple[float, ...] = (0.5, 1.0, 2.0), seeds: tuple[int, ...] = (0, 1, 2)) -> Path:
    """A sweep over beta in which a lower beta has a lower error."""
    jobs = []
    for beta in betas:
        for seed in seeds:
            jobs.append(f"model.beta={beta},seed={seed}")
            value = 0.01 * beta + 0.0001 * seed
            metrics = {"mse": value, "bce": 100 * value, "kl": 10 / beta, "elbo": -100 - beta, "strange": value}
            write_run(
                folder / jobs[-1],
                metrics,
                seed,
                {"model.beta": beta},
                curve=[3 * value, 2 * value, value],
                pictures=("reconstructions", "samples"),
            )
    return write_sweep(folder, jobs, "betas")


def wide_sweep(folder: Path) -> Path:
    """A sweep over ten keys, of which three vary by themselves: 8 configs of 2 seeds, with pictures of 3 epochs."""
    jobs = []
    for k in range(8):
        beta, size, activation = (0.5, 2.0)[k % 2], (8, 16)[k // 2 % 2], ("relu", "silu")[k // 4]
        changes = {"model.beta": beta, "model.latent_dim": size, "net.activation": activation}
        changes |= {f"net.option{n}": (k * 7 + n) % 3 for n in range(7)}
        for seed in (0, 1):
            jobs.append(",".join(f"{key}={value}" for key, value in [*changes.items(), ("seed", seed)]))
            mse = 0.01 * (k + 1) + 0.001 * seed
            pictures = ("samples",) if seed == 0 else ()
            write_run(folder / f"{k}-{seed}", {"mse": mse}, seed, changes, pictures=pictures, epochs=(1, 2, 12))
    write_sweep(folder, jobs, "wide")
    content = json.loads((folder / "sweep.json").read_text())
    for k, job in enumerate(content["jobs"]):
        job["folder"] = f"{k // 2}-{k % 2}"
    (folder / "sweep.json").write_text(json.dumps(content))
    return folder


def search_sweep(folder: Path, count: int = 20, objectives: tuple[str, ...] = ("val/mse",), markup: str = "") -> Path:
    """A search for a rate near 0.01 and a small size: every fifth trial was stopped early, every seventh failed.

    markup: a text used for every name and text that is free.
    """
    trials = []
    for k in range(count):
        rate, size = 10.0 ** -(1 + 3 * (k * 7 % count) / count), 2 + 5 * k % 30
        state = "fail" if k % 7 == 6 else "pruned" if k % 5 == 4 else "complete"
        name, value = f"{k:04d},optimizer.lr={rate:.4g}", 0.1 + (math.log10(rate) + 2) ** 2
        changes = {"optimizer.lr": rate, "model.latent_dim": size}
        metrics = {"mse": value, "bce": 20 + value} if state == "complete" else None
        status = "failed" if state == "fail" else state
        write_run(folder / name, metrics, 0, changes, status, curve=[value + 1, value], pictures=("samples",))
        values = {"val/mse": value, "parameters": 100.0 * size, "elbo": -value}
        trial = {"number": k, "state": state, "folder": name, "reason": markup}
        trial["params"] = {**changes, markup or "net.widths": markup or ("[16]", "[32,32]")[k % 2]}
        trial["values"] = [values.get(key, value) for key in objectives] if state == "complete" else None
        trials.append(trial)
    directions = {key: "maximize" if key == "elbo" else "minimize" for key in objectives}
    importance = {key: {"optimizer.lr": 0.9, markup or "net.widths": 0.1} for key in objectives}
    write_sweep(folder, [trial["folder"] for trial in trials], "a search")
    content = {"objectives": directions, "trials": trials, "importance": importance}
    (folder / "search.json").write_text(json.dumps(content))
    return folder

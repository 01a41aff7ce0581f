"""One cell of the grid of step times, in a process of its own: calls of latentlab and of the bare loop in turn.

`python -m benchmarks.step_cell NET BATCH PRECISION PAIRS FOLDER [KEY=VALUE ...]`; prints the medians as JSON. On a GPU
there is a loop of one CUDA graph as well.
"""

import copy
import json
import sys
from collections.abc import Sequence
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, open_dict

from benchmarks.bare import bare_loop, graph_loop, warmed_up
from benchmarks.in_turn import AllMeasuredError, InTurn
from benchmarks.processes import mnist_root
from benchmarks.results import median
from latentlab.commands.experiment import train
from latentlab.config.config_dir import config_dir
from latentlab.data.base import ImageDataModule
from latentlab.training.build import build_data, build_model
from latentlab.training.execution import Execution

EPOCHS = 1000  # more than needed


def _config(net: str, batch_size: int, precision: str, folder: str, given: Sequence[str]) -> DictConfig:
    cpu = "cpu" if precision == "32-true" else "cpu_bf16"
    preset = "gpu" if torch.cuda.is_available() else cpu
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        config = compose(
            "train",
            [
                f"net={net}",
                f"data.batch_size={batch_size}",
                f"data.root={mnist_root()}",
                f"paths.run_dir={folder}",
                f"trainer={preset}",
                *([f"trainer.precision={precision}"] if preset == "gpu" else []),
                f"trainer.max_epochs={EPOCHS}",
                *given,
            ],
        )
    with open_dict(config):
        config.callbacks.in_turn = {"_target_": "benchmarks.in_turn.InTurn"}
    return config


def _networks(config: DictConfig, data: ImageDataModule, device: torch.device, **options: bool) -> tuple[Any, Any, Any]:
    """Encoder, decoder and their optimizer, executed as latentlab executes them."""
    model = build_model(config, data.image_shape, data.num_classes).to(device)
    Execution.of(config.trainer).prepare(model)
    encoder, decoder = copy.deepcopy(model.encoder), copy.deepcopy(model.decoder)
    return encoder, decoder, model.parts.optimizer([*encoder.parameters(), *decoder.parameters()], **options)


def main(net: str, batch_size: int, precision: str, pairs: int, folder: str, *given: str) -> dict[str, float]:
    config = _config(net, batch_size, precision, folder, given)
    data = build_data(config)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pixels = data.train.pixels.to(device)
    InTurn.pairs, InTurn.loops, InTurn.times = pairs, {}, []
    for bf16 in (False, True) if precision != "32-true" else (False,):
        name = " bf16" if bf16 else ""
        networks = _networks(config, data, device)
        InTurn.loops[f"bare{name}"] = warmed_up(bare_loop(*networks, pixels, batch_size, bf16))
        if device.type == "cuda":
            networks = _networks(config, data, device, capturable=True)
            InTurn.loops[f"graph{name}"] = warmed_up(graph_loop(*networks, pixels, batch_size, bf16))
    try:
        train(config, quiet=True)
    except AllMeasuredError:
        times = InTurn.times[len(InTurn.times) // 5 :]  # the first fifth is warm-up
    sides = {side: median([pair[side] for pair in times]) for side in times[0]}
    peer = "bare" if precision == "32-true" else "bare bf16"
    ratios = [pair["latentlab"] / pair[peer] for pair in times]
    return {
        **{f"{side} us": 1e6 * seconds for side, seconds in sides.items()},
        "ratio": median(ratios),
        "to fp32": median([pair["latentlab"] / pair["bare"] for pair in times]),
        "pairs": len(ratios),
    }


if __name__ == "__main__":
    found = main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), *sys.argv[5:])
    print(json.dumps(found))

"""The settings of a config that are compared, under short names, for the tables that compare runs."""

from collections.abc import Iterator, Mapping
from typing import Any

# the variant is named among the first five, which is how many columns TensorBoard opens with
GROUPS = ("data", "likelihood", "model", "net", "optimizer", "scheduler")
OF_DATA = ("batch_size", "binarize")
OF_TRAINER = ("devices", "max_epochs", "precision")
MACHINERY = ("_convert_", "_partial_", "measurements", "active_above", "encoder", "decoder", "fused")


def hyperparameters(config: Mapping[str, Any]) -> dict[str, Any]:
    """{"model": "VAE", "model.beta": 1.0, ...} of a resolved config: a group's own name holds its class."""
    chosen = {group: dict(config[group]) for group in GROUPS}
    chosen["data"] = {key: chosen["data"][key] for key in ("_target_", *OF_DATA)}
    chosen["trainer"] = {key: config["trainer"][key] for key in OF_TRAINER}
    named = {key: value for group, node in chosen.items() for key, value in _named(group, node)}
    family = config["net"]["encoder"]["_target_"].rpartition(".")[2].removesuffix("Encoder")
    return {**named, "net": family, "seed": config["seed"]}


def _named(prefix: str, node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key in MACHINERY:
            continue
        if key == "_target_":
            yield prefix, value.rpartition(".")[2].removesuffix("DataModule")
        elif isinstance(value, Mapping):
            yield from _named(f"{prefix}.{key}", value)
        else:
            yield f"{prefix}.{key}", value

"""The formats of an export: how the networks are written, and how they are read back by that format's own library."""

import io
import json
import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import final

import torch
from torch import Tensor, nn

from latentlab.errors import ConfigError
from latentlab.models.base import Autoencoder
from latentlab.training.build import rebuilt
from latentlab.training.export.networks import ExportedDecoder, ExportedEncoder, outputs_of

Inputs = tuple[Tensor, ...]
Call = Callable[[Inputs], list[Tensor]]

EXAMPLES = 2  # images that a network is traced with: one would make the batch size a constant


@final
@dataclass(frozen=True, eq=False)
class Network:
    """One of the two networks. inputs, outputs: the names of its tensors. example: inputs for two images."""

    name: str
    made: Callable[[], nn.Module]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    example: Inputs

    @cached_property
    def module(self) -> nn.Module:
        """The network itself, a copy of the model's, made when it is first asked for."""
        return self.made()


def networks_of(model: Autoencoder) -> tuple[Network, Network]:
    """The encoder and the decoder of a model."""
    y = (torch.zeros(EXAMPLES, dtype=torch.int64),) if model.conditional else ()
    label = ("y",) if model.conditional else ()
    code = ("mean", "log_var") if model.parameters_per_latent == 2 else ("z",)
    x, z = torch.zeros(EXAMPLES, *model.image_shape), torch.zeros(EXAMPLES, model.latent_dim)
    return (
        Network("encoder", partial(ExportedEncoder, model), ("x", *label), code, (x, *y)),
        Network("decoder", partial(ExportedDecoder, model), ("z", *label), ("x",), (z, *y)),
    )


class Format(ABC):
    """One format. packages: what has to be installed. loading: how a reader loads the files, for the model card."""

    packages: tuple[str, ...] = ()
    loading: str

    @abstractmethod
    def write(self, model: Autoencoder, folder: Path) -> None:
        """Write the networks into the folder."""

    @abstractmethod
    def read(self, model: Autoencoder, folder: Path) -> dict[str, Call]:
        """The networks as they were written, "encoder" and "decoder", ready to be called."""


@final
class Pt2(Format):
    """PyTorch's own exported programs."""

    loading = """import torch

encoder = torch.export.load("encoder.pt2").module()
decoder = torch.export.load("decoder.pt2").module()"""

    def write(self, model: Autoencoder, folder: Path) -> None:
        for network in networks_of(model):
            content = io.BytesIO()  # on a full disk torch itself raises a RuntimeError
            torch.export.save(_program(network), content)
            (folder / f"{network.name}.pt2").write_bytes(content.getbuffer())

    def read(self, model: Autoencoder, folder: Path) -> dict[str, Call]:
        names = [network.name for network in networks_of(model)]
        return {name: partial(outputs_of, torch.export.load(folder / f"{name}.pt2").module()) for name in names}


@final
class Onnx(Format):
    """ONNX, for ONNX Runtime and other inference engines."""

    packages = ("onnx", "onnxscript", "onnxruntime")
    loading = """import onnxruntime

encoder = onnxruntime.InferenceSession("encoder.onnx")
decoder = onnxruntime.InferenceSession("decoder.onnx")
# encoder.run(None, {"x": images}), of NumPy arrays"""

    def write(self, model: Autoencoder, folder: Path) -> None:
        for network in networks_of(model):
            with _quiet():
                torch.onnx.export(
                    _program(network),
                    f=folder / f"{network.name}.onnx",
                    input_names=network.inputs,
                    output_names=network.outputs,
                    dynamo=True,
                    external_data=False,
                    verbose=False,
                )

    def read(self, model: Autoencoder, folder: Path) -> dict[str, Call]:
        import onnxruntime

        def call(network: Network) -> Call:
            session = onnxruntime.InferenceSession(folder / f"{network.name}.onnx", providers=["CPUExecutionProvider"])

            def run(inputs: Inputs) -> list[Tensor]:
                given = {name: value.numpy() for name, value in zip(network.inputs, inputs, strict=True)}
                return [torch.from_numpy(array) for array in session.run(None, given)]

            return run

        return {network.name: call(network) for network in networks_of(model)}


@final
class Safetensors(Format):
    """The weights alone, and the config that the model is rebuilt from by latentlab."""

    packages = ("safetensors",)
    loading = """import json
from pathlib import Path

from latentlab.training.build import rebuilt
from safetensors.torch import load_file

model = rebuilt(json.loads(Path("config.json").read_text()), "config.json").eval()
model.load_state_dict(load_file("model.safetensors"))"""

    def write(self, model: Autoencoder, folder: Path) -> None:
        from safetensors.torch import save

        # copies: the format holds no tensor under two names, as tied weights are
        weights = {name: weight.detach().clone().contiguous() for name, weight in model.state_dict().items()}
        (folder / "model.safetensors").write_bytes(save(weights))
        (folder / "config.json").write_text(json.dumps(dict(model.hparams), indent=2) + "\n", encoding="utf-8")

    def read(self, model: Autoencoder, folder: Path) -> dict[str, Call]:
        from safetensors.torch import load_file

        file = folder / "config.json"
        loaded = rebuilt(json.loads(file.read_text()), file).eval()
        loaded.load_state_dict(load_file(folder / "model.safetensors"))
        return {network.name: partial(outputs_of, network.module) for network in networks_of(loaded)}


FORMATS: dict[str, Format] = {"onnx": Onnx(), "pt2": Pt2(), "safetensors": Safetensors()}


def format_of(name: str) -> Format:
    """The format of that name.

    Raises:
        ConfigError: a package that it needs is not installed.
    """
    chosen = FORMATS[name]
    for package in chosen.packages:
        try:
            __import__(package)
        except ImportError as error:
            raise ConfigError(f"format: {name} needs {package}; pip install {' '.join(chosen.packages)}") from error
    return chosen


def _program(network: Network) -> torch.export.ExportedProgram:
    batch = torch.export.Dim("batch")
    shapes = tuple({0: batch} for _ in network.example)
    return torch.export.export(network.module, network.example, dynamic_shapes=shapes)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the notes that the ONNX exporter prints about its own stages."""
    loggers = {name: logging.getLogger(name) for name in ("onnxscript", "onnx_ir")}
    levels = {name: logger.level for name, logger in loggers.items()}
    for logger in loggers.values():
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, logger in loggers.items():
            logger.setLevel(levels[name])

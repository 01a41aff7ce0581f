"""The model card of an export: what the model is, what it was measured to be, and how it is loaded."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentlab.models.base import Autoencoder
from latentlab.models.priors import has_prior, has_standard_prior
from latentlab.training.export.formats import Format, networks_of

MEANINGS = {
    "x": "images, float32, (B, {shape}), in [0, 1] for the encoder",
    "y": "labels, int64, (B,), 0 to {last}",
    "z": "codes, float32, (B, {units})",
    "mean": "mean of the posterior, which is the code, float32, (B, {units})",
    "log_var": "logarithm of the posterior's variance, float32, (B, {units})",
}


def model_card(
    model: Autoencoder,
    results: Mapping[str, Any],
    overrides: Sequence[str],
    pictures: Sequence[Path],
    form: Format,
    difference: float,
) -> str:
    """The text of README.md.

    results: the content of the run's `metrics.json`. overrides: of the run. pictures: names of files beside the card.
    difference: the largest between the exported model's outputs and the run's own.
    """
    variant, data = type(model).__name__, results.get("data", "unknown data")
    sections = [
        f"# {variant} of {data}",
        f"A {variant} with {model.latent_dim} latent units and {results.get('parameters', 0):,} parameters, trained by "
        f"latentlab on {data} with seed {results.get('seed', '-')} for {results.get('epochs', '-')} epochs:",
        _block("bash", shlex.join(["latentlab", "train", *overrides])),
        "## Load",
        _block("python", form.loading),
        _table(("network", "input", "output"), _networks(model)),
        f"{_named_inputs(model)} The batch size is free. The exported model's outputs differ from those of the run's "
        f"own by at most {difference:.1e} (of values above 1: relative to the largest).",
        _codes_to_decode(model),
        "## Metrics",
        "Of the test images; likelihoods and KL in nats per image, mse per pixel.",
        _table(("metric", "value"), _metrics(results)),
    ]
    if pictures:
        sections += ["## Pictures", *(f"![{picture.stem}]({picture.name})" for picture in pictures)]
    return "\n\n".join(sections) + "\n"


def _codes_to_decode(model: Autoencoder) -> str:
    if not has_prior(model):
        return "It has no prior: codes of images can be decoded, but a code at random is no sample."
    if has_standard_prior(model):
        return "Codes drawn from N(0, I), its prior, decode to samples."
    return "Its prior is learned and not among these files: codes drawn from N(0, I) do not decode to samples of it."


def _networks(model: Autoencoder) -> list[tuple[str, ...]]:
    return [(each.name, ", ".join(each.inputs), ", ".join(each.outputs)) for each in networks_of(model)]


def _named_inputs(model: Autoencoder) -> str:
    names = dict.fromkeys(name for each in networks_of(model) for name in (*each.inputs, *each.outputs))
    shape = ", ".join(map(str, model.image_shape))
    known = {"shape": shape, "units": model.latent_dim, "last": model.num_classes - 1}
    return " ".join(f"`{name}`: {MEANINGS[name].format(**known)}." for name in names)


def _metrics(results: Mapping[str, Any]) -> list[tuple[str, ...]]:
    found = {name: value for name, value in results.get("metrics", {}).items() if name.startswith("test/")}
    return [(f"`{name}`", "-" if value is None else f"{value:.5g}") for name, value in found.items()]


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"

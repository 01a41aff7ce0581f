"""Export a run's model into a folder, and compare what was written with the model itself."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from latentlab.errors import ConfigError, UserError
from latentlab.models.base import Autoencoder
from latentlab.runs import Run
from latentlab.runs.documents import Damaged
from latentlab.runs.identity import is_identifying, override_key
from latentlab.training.export.card import model_card
from latentlab.training.export.formats import Call, Format, format_of, networks_of
from latentlab.training.export.networks import outputs_of
from latentlab.training.restore import load_model, refuse_incomplete, trusted_config

BOUND = 1e-5  # float32 sums of some hundred terms in another order differ by less
BATCHES = (1, 5)  # images in the batches that are compared
PICTURES = ("reconstructions.png", "samples.png")
EPOCHS = "trainer.max_epochs"


def export_run(run: Run, name: str, output: Path) -> tuple[Path, float]:
    """Write encoder, decoder and model card; returns the folder, and the largest difference to the run's own outputs.

    name: a key of `FORMATS`. output: the folder, which is empty or not there.

    Raises:
        UserError: the run's model cannot be read, a package is missing, the folder holds something, or the exported
            model's outputs differ by more than `BOUND`, in which case nothing is left.
    """
    chosen = format_of(name)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ConfigError(f"output: {output} holds something already; delete it, or choose another folder")
    refuse_incomplete(run)
    model = load_model(run, trusted_config(run)).requires_grad_(False)
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as draft:
        folder = Path(draft) / "export"
        folder.mkdir()
        chosen.write(model, folder)
        difference = _difference(model, chosen, folder)
        if not difference <= BOUND:  # also where it is NaN
            raise UserError(f"format: what was exported as {name} differs by {difference:.1e}, more than {BOUND:.0e}")
        _write_card(run, model, chosen, difference, folder)
        folder.replace(output)
    return output, difference


@torch.no_grad()
def _difference(model: Autoencoder, form: Format, folder: Path) -> float:
    """The largest over both networks and several batch sizes; of values above 1, relative to the largest."""
    read, generator = form.read(model, folder), torch.Generator().manual_seed(0)
    encoder, decoder = networks_of(model)
    found = [0.0]
    for size in BATCHES:
        x = torch.rand(size, *model.image_shape, generator=generator)
        y = (torch.arange(size) % model.num_classes,) if model.conditional else ()
        codes = outputs_of(encoder.module, (x, *y))
        found += _differences(read["encoder"], (x, *y), codes)
        found += _differences(read["decoder"], (codes[0], *y), outputs_of(decoder.module, (codes[0], *y)))
    return float(torch.tensor(found).max())


def _differences(call: Call, inputs: tuple[Tensor, ...], expected: list[Tensor]) -> list[float]:
    pairs = zip(call(inputs), expected, strict=True)
    return [float((found - own).abs().max() / own.abs().max().clamp(min=1)) for found, own in pairs]


def _write_card(run: Run, model: Autoencoder, form: Format, difference: float, folder: Path) -> None:
    pictures = [Path(shutil.copy(file, folder)) for file in run.figures if file.name in PICTURES]
    text = model_card(model, run.metrics or {}, _overrides(run), pictures, form, difference)
    (folder / "README.md").write_text(text, encoding="utf-8")


def _overrides(run: Run) -> list[str]:
    """Those that train the same model: the run may have been trained further than its command says."""
    try:
        overrides = [one for one in run.read_overrides() if is_identifying(override_key(one))]
    except Damaged:
        return []
    kept = [one for one in overrides if override_key(one) != EPOCHS]
    return [*kept, f"{EPOCHS}={run.config.trainer.max_epochs}"]

"""Every variant with every network for two batches, as `make smoke` does it, through the real entry point."""

import itertools
import re
import shlex
from pathlib import Path

import pytest

from latentlab.runs import Run

ROOT = Path(__file__).parents[1]
VARIANTS = sorted(file.stem for file in (ROOT / "conf" / "model").glob("*.yaml"))
NETS = sorted(file.stem for file in (ROOT / "conf" / "net").glob("*.yaml"))


def smoke_arguments() -> list[str]:
    """What `make smoke` hands to the entry point."""
    recipe = re.search(r"^smoke:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    command = shlex.split(recipe.replace("\\\n", " ").replace("$(BIN)", "bin").replace("$(ARGS)", ""))
    assert command[:5] == ["bin/python", "-m", "latentlab", "train", "--multirun"]
    return command[5:]


def swept(key: str) -> list[str]:
    (values,) = [argument.partition("=")[2] for argument in smoke_arguments() if argument.startswith(f"{key}=")]
    return values.split(",")


COMMON = [argument for argument in smoke_arguments() if not argument.startswith(("model=", "net="))]


def check(run: Run, size: int) -> None:
    metrics = run.metrics
    assert metrics["status"] == "complete"
    assert metrics["steps"] == 2
    assert metrics["metrics"].keys() >= {"val/objective_final", "test/objective", "test/mse", "test/bce"}
    assert None not in metrics["metrics"].values()  # where a metric is not finite
    assert run.config.data.image_size == size


def test_smoke_sweeps_every_shipped_variant_and_network():
    assert sorted(swept("model")) == VARIANTS
    assert sorted(swept("net")) == NETS


PAIRS = list(itertools.product(VARIANTS, NETS))
EACH_ONCE = [(VARIANTS[k % len(VARIANTS)], NETS[k % len(NETS)]) for k in range(max(len(VARIANTS), len(NETS)))]


@pytest.mark.parametrize(
    ("model", "net"),
    [*EACH_ONCE, *(pytest.param(*pair, marks=pytest.mark.long) for pair in PAIRS if pair not in EACH_ONCE)],
)
def test_a_variant_trains_with_a_network(train, model, net):
    check(train(*COMMON, f"model={model}", f"net={net}"), size=28)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("model", [m if m == "cvae" else pytest.param(m, marks=pytest.mark.long) for m in VARIANTS])
def test_a_variant_trains_with_a_network_on_the_smallest_images(train, model, net):
    check(train(*COMMON, f"model={model}", f"net={net}", "data.image_size=8"), size=8)


@pytest.mark.slow
def test_large_images_need_no_other_argument(train):
    check(train(*COMMON, "model=vae", "net=cnn", "data.image_size=64"), size=64)

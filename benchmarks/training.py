"""Five epochs of the 784-400-20 VAE with the default logging, in turn with a bare loop, plain Lightning and pythae."""

import importlib.util
import tempfile

from benchmarks.processes import Finished, run, train
from benchmarks.results import Bar, Results, median
from latentlab.processes.processor import has_bfloat16

ROUNDS, EPOCHS = 5, 5
BARS = {"bare loop": 1.10, "plain Lightning": 0.40, "pythae": 0.70}
BF16 = 0.62  # of the bare loop in float32, on a processor with bfloat16


def measure() -> Results:
    sides = {"latentlab": _latentlab, "bare loop": _side("bare_side"), "plain Lightning": _side("plain_lightning")}
    if has_bfloat16():
        sides["latentlab, cpu_bf16"] = _latentlab_bf16
    if importlib.util.find_spec("pythae") is None:
        print("pythae is not installed: pip install -e '.[bench]'")
    else:
        sides["pythae"] = _side("pythae_side")
    rounds: list[dict[str, tuple[float, Finished]]] = []
    for _ in range(ROUNDS):
        found = {}
        for name, side in sides.items():
            with tempfile.TemporaryDirectory() as folder:
                found[name] = side(folder)
        rounds.append(found)
    title = f"{EPOCHS} epochs with the default logging, median of {ROUNDS} rounds"
    results = Results("training", title, label="side", drawn=("training s", "process s"), unit="seconds")
    for name in sides:
        runs = [each[name] for each in rounds]
        row = {
            "side": name,
            "training s": median([seconds for seconds, _ in runs]),
            "process s": median([whole.seconds for _, whole in runs]),
            "peak MiB": median([whole.peak_mib for _, whole in runs]),
        }
        if name in BARS:
            training = median([each["latentlab"][0] / each[name][0] for each in rounds])
            process = median([each["latentlab"][1].seconds / each[name][1].seconds for each in rounds])
            row |= {"latentlab relative to it": training, "process relative to it": process}
            results.bars.append(Bar(f"{EPOCHS} epochs, latentlab relative to {name}", training, BARS[name]))
        results.rows.append(row)
    if has_bfloat16():
        ratio = median([each["latentlab, cpu_bf16"][0] / each["bare loop"][0] for each in rounds])
        results.bars.append(Bar(f"{EPOCHS} epochs, trainer=cpu_bf16 relative to the bare loop", ratio, BF16))
    return results


def _latentlab(folder: str) -> tuple[float, Finished]:
    return train(folder, f"trainer.max_epochs={EPOCHS}")


def _latentlab_bf16(folder: str) -> tuple[float, Finished]:
    return train(folder, f"trainer.max_epochs={EPOCHS}", "trainer=cpu_bf16")


def _side(module: str):  # type: ignore[no-untyped-def]
    def side(folder: str) -> tuple[float, Finished]:
        whole = run(["-m", f"benchmarks.{module}", str(EPOCHS), folder])
        return whole.result()["seconds"], whole

    return side

"""Ten epochs of the 784-400-20 VAE with the default logging: latentlab, plain Lightning and pythae, in turn."""

import importlib.util
import tempfile

from benchmarks.processes import Finished, run, train
from benchmarks.results import Bar, Results, median

ROUNDS, EPOCHS = 5, 10
BARS = {"plain Lightning": 0.40, "pythae": 0.70}


def measure() -> Results:
    sides = {"latentlab": _latentlab, "plain Lightning": _side("plain_lightning")}
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
        if name != "latentlab":
            training = median([each["latentlab"][0] / each[name][0] for each in rounds])
            process = median([each["latentlab"][1].seconds / each[name][1].seconds for each in rounds])
            row |= {"latentlab relative to it": training, "process relative to it": process}
            results.bars.append(Bar(f"{EPOCHS} epochs, latentlab relative to {name}", training, BARS[name]))
        results.rows.append(row)
    return results


def _latentlab(folder: str) -> tuple[float, Finished]:
    return train(folder, f"trainer.max_epochs={EPOCHS}")


def _side(module: str):  # type: ignore[no-untyped-def]
    def side(folder: str) -> tuple[float, Finished]:
        whole = run(["-m", f"benchmarks.{module}", str(EPOCHS), folder])
        return whole.result()["seconds"], whole

    return side

"""`latentlab explore` in Chromium: the time from the pointer's move to the new picture and to the page, and memory."""

import json
import random
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.processes import run
from benchmarks.results import Bar, Results, median
from tests.explore.served import ALL, FIRST, Page, served
from tests.report.browser import Browser

MOVES = 200
ROUNDS = 3
MODELS = {
    "MLP": ["net=mlp", "model.latent_dim=2"],
    "CNN": ["net=cnn", "model.latent_dim=10"],
}
VARIANTS = ("ae", "sparse_ae", "denoising_ae", "vae", "cvae")
SHORT = ["trainer=cpu", "trainer.max_epochs=1", "+trainer.limit_train_batches=20", "logger=none"]
# resolves with the milliseconds from the pointer's move to the frame after the picture's replacement
WATCH = """
window.waited = []; window.moved = null;
document.addEventListener("mousemove", () => { window.moved = performance.now(); }, true);
Bokeh.documents[0].get_model_by_name("decoded").properties.data.change.connect(() => {
  const moved = window.moved; window.moved = null;
  if (moved !== null) requestAnimationFrame(() => setTimeout(() => window.waited.push(performance.now() - moved)));
}); 0
"""


def measure() -> Results:
    results = Results(
        "explore",
        "The latent space under the pointer",
        label="runs",
        drawn=("median ms", "95 % ms"),
        unit="milliseconds",
    )
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: trained(Path(folder) / name, ["model=vae", *options]) for name, options in MODELS.items()}
        runs["five"] = [trained(Path(folder) / f"five_{m}", [f"model={m}", *MODELS["MLP"]])[0] for m in VARIANTS]
        for name, chosen in runs.items():
            rounds = [of_page(chosen) for _ in range(ROUNDS)]
            seconds, mib = median([one[0] for one in rounds]), max(one[1] for one in rounds)
            waited = sorted(wait for one in rounds for wait in one[2])
            middle, late = statistics.median(waited), waited[int(0.95 * len(waited))]
            row = {"runs": name, "median ms": middle, "95 % ms": late, "start to plane s": seconds, "peak MiB": mib}
            results.rows.append(row)
            results.bars += [
                Bar(f"{name}: median milliseconds from the pointer's move to the picture", middle, 50.0),
                Bar(f"{name}: their 95th percentile", late, 100.0),
                Bar(f"{name}: seconds from the start to the plane", seconds, 6.0),
            ]
        results.bars.append(Bar("MiB with five runs open", mib, 1536.0))
    return results


def trained(folder: Path, options: list[str]) -> list[Path]:
    run(["-m", "latentlab", "train", *options, *SHORT, f"hydra.run.dir={folder}"])
    return [folder]


def of_page(folders: list[Path]) -> tuple[float, float, list[float]]:
    """Seconds from the start to the plane, the server's peak memory in MiB, and the milliseconds of each move."""
    browser, started = Browser(1280, 900), time.perf_counter()
    with served(f"runs=[{','.join(map(str, folders))}]") as server:
        page = Page(server.url, browser=browser, until=FIRST)
        seconds = time.perf_counter() - started
        page.wait(ALL)
        page.browser.run(WATCH)
        rows = len(page.model("codes", "data.x"))
        source = random.Random(0)
        for count in range(1, MOVES + 1):
            row = source.randrange(rows)
            page.point("codes", page.model("codes", f"data.x[{row}]"), page.model("codes", f"data.y[{row}]"))
            page.wait(f"window.waited.length >= {count}")
        waited = json.loads(page.browser.run("JSON.stringify(window.waited)"))
        mib = psutil.Process(server.process.pid).memory_info().rss / 2**20
        page.close()
    return seconds, mib, waited

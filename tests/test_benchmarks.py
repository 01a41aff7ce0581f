"""The benchmarks run, time both sides in turn, and report where a bar is missed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.processes import run
from benchmarks.results import Bar, Results, machine

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("found", "bound", "least", "holds"),
    [(1.0, 1.0, False, True), (1.01, 1.0, False, False), (1.3, 1.3, True, True), (1.2, 1.3, True, False)],
)
def test_a_bar_holds_or_is_missed(found, bound, least, holds):
    assert Bar("a", found, bound, least).holds == holds


def test_results_are_printed_and_written_with_the_machine(tmp_path, capsys):
    results = Results("steps", "Steps", label="cell", drawn=("us",), unit="us")
    results.rows += [{"cell": "mlp", "us": 3.0, "ratio": 1.05}, {"cell": "cnn", "us": 20.0, "ratio": None}]
    results.bars.append(Bar("mlp to the bare loop", 1.05, 1.0))
    results.publish(tmp_path)
    shown = capsys.readouterr().out
    assert "MISSED  mlp to the bare loop: 1.050 (bar <= 1.0)" in shown
    content = json.loads((tmp_path / "steps.json").read_text())
    assert content["machine"] == machine()
    assert content["rows"] == results.rows
    assert content["bars"] == [
        {"what": "mlp to the bare loop", "found": 1.05, "bound": 1.0, "least": False, "holds": False}
    ]
    assert (tmp_path / "steps.png").read_bytes().startswith(b"\x89PNG")


def test_a_process_that_fails_is_reported_with_its_output():
    with pytest.raises(RuntimeError, match=r"(?s)status 3:.*it broke"):
        run(["-c", "print('it broke'); raise SystemExit(3)"])


def test_a_process_is_measured_from_outside():
    finished = run(["-c", "x = bytearray(200_000_000); print('{\"seconds\": 1.5}')"], threads=1)
    assert finished.result() == {"seconds": 1.5}
    assert finished.peak_mib > 190
    assert run(["-c", "import os; print(os.environ['OMP_NUM_THREADS'])"], threads=1).output == "1\n"


def test_an_unknown_benchmark_is_named():
    done = subprocess.run([sys.executable, "-m", "benchmarks", "spead"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "spead: expected one of start, steps" in done.stderr


@pytest.mark.long
def test_a_cell_of_the_grid_times_both_sides_on_the_same_images(mnist_root, tmp_path):
    environment = {**os.environ, "LATENTLAB_DATA": str(mnist_root)}
    command = [sys.executable, "-m", "benchmarks.step_cell", "mlp", "128", "bf16-mixed", "5", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.keys() == {"latentlab us", "bare us", "bare bf16 us", "ratio", "to fp32", "pairs"}
    assert found["pairs"] == 4
    assert 0.2 < found["ratio"] < 5

"""What a training in Python shares with its process: threads, signals, generators, and the switches of a caller."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch

import latentlab as ll
from tests.commands.python.short_runs import TINY


@pytest.mark.parametrize("switched_on", [lambda: torch.autocast("cpu", torch.bfloat16), torch.inference_mode])
def test_what_would_change_a_run_is_refused(run, folder, switched_on):
    with switched_on():
        for action in (lambda: ll.train(*TINY), lambda: ll.evaluate(run)):
            with pytest.raises(ll.UserError, match=r"called within torch\.autocast or torch\.inference_mode"):
                action()


def test_the_default_type_does_not_change_a_run(folder):
    usual = ll.train("model=vae", *TINY, name="usual").metrics
    torch.set_default_dtype(torch.float64)
    try:
        metrics = ll.train("model=vae", *TINY, name="double").metrics
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert metrics == usual


SUBNORMAL = """
import sys, torch
import latentlab as ll
ll.train(*sys.argv[1:])
print((torch.full((4_000_000,), 1e-40) * 1.0 == 0).sum().item())
"""


@pytest.mark.slow
def test_the_threads_of_a_process_that_begins_with_a_training_keep_subnormal_numbers(folder):
    command = [sys.executable, "-c", SUBNORMAL, *TINY]
    output = subprocess.check_output(command, env={**os.environ, "OMP_NUM_THREADS": "2"}, text=True, timeout=300)
    assert output.splitlines()[-1] == "0"


@pytest.mark.slow
def test_a_model_that_another_thread_opens_does_not_change_a_training(run, folder):
    alone = ll.train("model=vae", *TINY, "seed=5", name="alone").metrics
    done = threading.Event()

    def open_models():
        while not done.is_set():
            run.model()

    thread = threading.Thread(target=open_models)
    thread.start()
    try:
        beside = [ll.train("model=vae", *TINY, "seed=5", name=f"beside{k}").metrics for k in range(3)]
    finally:
        done.set()
        thread.join()
    assert all(metrics == alone for metrics in beside)


def state_of_the_process():
    return (
        *(str(np.random.get_state()), torch.get_rng_state().tolist()),  # beartype draws from Python's own
        *(torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision(), torch.is_grad_enabled()),
        *(dict(os.environ), sys.argv[:], os.getcwd(), logging.raiseExceptions),
        *(logging.root.handlers[:], logging.root.level, logging.getLogger("lightning.pytorch").level),
        *(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)),
        torch.distributed.is_initialized(),  # a process may be aborted at its exit, and sums wait for the others
    )


GROUP_OF_ONE = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=1")


@pytest.mark.parametrize(
    "overrides", [("trainer=smoke",), ("model=vea",), ("optimizer=sgd", "optimizer.lr=1e9"), GROUP_OF_ONE]
)
def test_the_process_is_afterwards_what_it_was(run, folder, overrides):
    """`run` came before: what the imports of libraries set stays."""
    torch.use_deterministic_algorithms(True)
    before = state_of_the_process()
    try:
        ll.train(*TINY, "trainer.matmul_precision=high", *overrides)
    except ll.UserError:
        pass
    finally:
        found = state_of_the_process()
        torch.use_deterministic_algorithms(False)
    assert found == before


def test_ctrl_c_saves_the_run_and_raises_keyboard_interrupt(folder):
    history = folder / "outputs" / "runs" / "long" / "history.jsonl"

    def press_when_it_trains():
        while not history.exists():
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=press_when_it_trains).start()
    with pytest.raises(KeyboardInterrupt):
        ll.train(*TINY[:-2], "logger=none", "trainer.max_epochs=100000", "callbacks=no_pictures", name="long")
    run = ll.load("outputs/runs/long")
    assert run.status == "interrupted"
    assert run.metrics == {}
    assert not run.model().training


def test_it_trains_in_a_thread_that_is_not_the_main_one(folder):
    found = []
    thread = threading.Thread(target=lambda: found.append(ll.train(*TINY, "trainer=smoke")))
    thread.start()
    thread.join()
    assert found[0].status == "complete"


@pytest.mark.slow
def test_two_trainings_in_two_threads_come_one_after_the_other(folder):
    found, before = [], sys.argv[:]
    threads = [threading.Thread(target=lambda: found.append(ll.train(*TINY, "trainer=smoke").status)) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["complete"] * 2
    assert sys.argv == before


def test_reading_a_model_draws_nothing(run):
    before = torch.get_rng_state()
    run.model()
    assert torch.equal(torch.get_rng_state(), before)

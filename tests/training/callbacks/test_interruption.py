"""Signals outside the training itself; those within it are tested on real runs, see test_resume and test_devices."""

import os
import signal

import pytest

from latentlab.errors import Interrupted
from latentlab.processes.signals import SIGNALS, interruptible


def test_a_hang_up_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_raises_at_once_and_the_handlers_come_back(number):
    before = {each: signal.getsignal(each) for each in SIGNALS}
    with pytest.raises(Interrupted) as caught, interruptible():
        os.kill(os.getpid(), number)
    assert caught.value.code == 128 + number
    assert {each: signal.getsignal(each) for each in SIGNALS} == before

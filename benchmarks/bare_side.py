"""The classic VAE in a loop written by hand, without validation, logging and checkpoints.

Its process has the settings of one that trains by latentlab: freed memory is kept, subnormal numbers are zero.

`python -m benchmarks.bare_side EPOCHS FOLDER`; prints the seconds of the loop as JSON.
"""

import json
import sys
import time
from itertools import islice

import torch

from benchmarks.bare import bare_loop
from benchmarks.plain_lightning import PlainVAE
from benchmarks.processes import mnist_root
from latentlab.data.torchvision_sets import MNISTDataModule
from latentlab.processes.tuning import tuned_process

BATCH = 128


@tuned_process()
def main(epochs: int) -> float:
    data = MNISTDataModule(mnist_root())
    data.setup()
    torch.manual_seed(0)
    model = PlainVAE()
    pixels = data.train.pixels.flatten(1)
    steps = bare_loop(model.encoder, model.decoder, torch.optim.Adam(model.parameters(), lr=1e-3), pixels, BATCH)
    started = time.perf_counter()
    for _ in islice(steps, epochs * (len(pixels) // BATCH)):
        pass
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps({"seconds": main(int(sys.argv[1]))}))

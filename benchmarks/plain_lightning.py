"""A training as in a tutorial: Lightning, torchvision's ToTensor, a DataLoader, self.log in each step.

`python -m benchmarks.plain_lightning EPOCHS FOLDER`; prints the seconds of `fit` as JSON.
"""

import json
import sys
import time
from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, random_split
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

from benchmarks.processes import mnist_root


class PlainVAE(pl.LightningModule):
    """784-400-20, as in the examples of both libraries."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
        self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))

    def _loss(self, batch: Any, stage: str) -> Tensor:
        x = batch[0].flatten(1)
        mean, log_var = self.encoder(x).chunk(2, 1)
        logits = self.decoder(mean + torch.randn_like(mean) * (0.5 * log_var).exp())
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        kl = 0.5 * (log_var.exp() + mean.square() - 1 - log_var).sum() / len(x)
        self.log(f"{stage}/objective", reconstruction + kl, prog_bar=True)
        self.log(f"{stage}/reconstruction", reconstruction)
        self.log(f"{stage}/kl", kl)
        return reconstruction + kl

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return self._loss(batch, "train")

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._loss(batch, "val")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def main(epochs: int, folder: str) -> float:
    pl.seed_everything(0, verbose=False)
    images = MNIST(mnist_root(), train=True, transform=ToTensor())
    train, val = random_split(images, [55_000, 5_000])
    loaders = DataLoader(train, batch_size=128, shuffle=True), DataLoader(val, batch_size=128)
    trainer = pl.Trainer(max_epochs=epochs, logger=TensorBoardLogger(folder), default_root_dir=folder)
    started = time.perf_counter()
    trainer.fit(PlainVAE(), *loaders)
    return time.perf_counter() - started


if __name__ == "__main__":
    print("\n" + json.dumps({"seconds": main(int(sys.argv[1]), sys.argv[2])}))

"""pythae's own trainer on the same network and data.

`python -m benchmarks.pythae_side EPOCHS FOLDER`; prints the seconds of training as JSON.
"""

import json
import sys
import time

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from torch import Tensor, nn
from torchvision.datasets import MNIST

from benchmarks.processes import mnist_root


class Encoder(BaseEncoder):
    """784-400-20."""

    def __init__(self) -> None:
        super().__init__()
        self.latent_dim = 20
        self.layers = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))

    def forward(self, x: Tensor) -> ModelOutput:
        mean, log_var = self.layers(x.flatten(1)).chunk(2, 1)
        return ModelOutput(embedding=mean, log_covariance=log_var)


class Decoder(BaseDecoder):
    """20-400-784; pythae's cross-entropy expects probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid())

    def forward(self, z: Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.layers(z).reshape(-1, 1, 28, 28))


def main(epochs: int, folder: str) -> float:
    images = MNIST(mnist_root(), train=True)
    x = images.data.float().unsqueeze(1) / 255
    train, val = (BaseDataset(split, torch.ones(len(split))) for split in x.split([55_000, 5_000]))
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=20, reconstruction_loss="bce")
    model = VAE(config, Encoder(), Decoder())
    options = BaseTrainerConfig(
        output_dir=folder,
        num_epochs=epochs,
        learning_rate=1e-3,
        per_device_train_batch_size=128,
        per_device_eval_batch_size=1000,
        optimizer_cls="Adam",
    )
    trainer = BaseTrainer(model, train, val, options)
    started = time.perf_counter()
    trainer.train()
    return time.perf_counter() - started


if __name__ == "__main__":
    print("\n" + json.dumps({"seconds": main(int(sys.argv[1]), sys.argv[2])}))

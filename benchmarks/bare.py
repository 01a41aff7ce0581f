"""A hand-written training loop: the same network, the same bytes, the same optimizer, and nothing else."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def bare_loop(
    encoder: Any, decoder: Any, optimizer: torch.optim.Optimizer, pixels: Tensor, batch_size: int, bf16: bool = False
) -> Iterator[Tensor]:
    """Train a VAE without end, one step per `next`; yields the loss, which is not read.

    pixels: uint8, (N, 1, H, W), on the training device.
    """
    device = pixels.device
    cast = torch.autocast(device.type, dtype=torch.bfloat16) if bf16 else nullcontext()
    while True:
        order = torch.randperm(len(pixels)).to(device)
        for start in range(0, len(pixels) - batch_size + 1, batch_size):
            x = pixels[order[start : start + batch_size]].float().div_(255)
            with cast:
                mean, log_var = encoder(x).chunk(2, 1)
                z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
                logits = decoder(z)
            cross_entropy = F.binary_cross_entropy_with_logits(logits.float(), x, reduction="sum")
            kl = 0.5 * (log_var.exp() + mean.square() - 1 - log_var).sum()
            loss = (cross_entropy + kl) / batch_size
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield loss

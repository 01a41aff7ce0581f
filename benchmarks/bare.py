"""Hand-written training loops: the same network, the same bytes, the same optimizer, and nothing else."""

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

WARM_UP = 3  # steps before a capture, in which libraries choose their algorithms


def bare_loop(
    encoder: Any, decoder: Any, optimizer: torch.optim.Optimizer, pixels: Tensor, batch_size: int, bf16: bool = False
) -> Iterator[Tensor]:
    """Train a VAE without end, one step per `next`; yields the loss, which is not read.

    pixels: uint8, (N, 1, H, W), on the training device.
    """
    for rows in _rows(pixels, batch_size):
        yield _step(encoder, decoder, optimizer, pixels[rows], bf16)


def graph_loop(
    encoder: Any, decoder: Any, optimizer: torch.optim.Optimizer, pixels: Tensor, batch_size: int, bf16: bool = False
) -> Iterator[Tensor]:
    """The same with the whole step as one CUDA graph, which the host only starts.

    optimizer: one with `capturable=True`.
    """
    orders = _rows(pixels, batch_size)
    rows = next(orders).clone()
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            _step(encoder, decoder, optimizer, pixels[rows], bf16)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    optimizer.zero_grad()
    with torch.cuda.graph(graph):
        loss = _step(encoder, decoder, optimizer, pixels[rows], bf16)
    for drawn in orders:
        rows.copy_(drawn)
        graph.replay()
        yield loss


def _rows(pixels: Tensor, batch_size: int) -> Iterator[Tensor]:
    while True:
        order = torch.randperm(len(pixels)).to(pixels.device)
        for start in range(0, len(pixels) - batch_size + 1, batch_size):
            yield order[start : start + batch_size]


def _step(encoder: Any, decoder: Any, optimizer: torch.optim.Optimizer, pixels: Tensor, bf16: bool) -> Tensor:
    x = pixels.float().div_(255)
    with torch.autocast(x.device.type, dtype=torch.bfloat16) if bf16 else nullcontext():
        mean, log_var = encoder(x).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        logits = decoder(z)
    cross_entropy = F.binary_cross_entropy_with_logits(logits.float(), x, reduction="sum")
    kl = 0.5 * (log_var.exp() + mean.square() - 1 - log_var).sum()
    loss = (cross_entropy + kl) / len(x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def warmed_up(loop: Iterator[Tensor]) -> Iterator[Tensor]:
    """The loop after its first steps."""
    for _ in islice(loop, 5):
        pass
    return loop

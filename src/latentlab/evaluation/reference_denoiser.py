"""A U-Net trained once on a data set and a corruption: how well denoising goes where no code is in between."""

from collections.abc import Iterator
from itertools import count, islice, pairwise
from pathlib import Path
from typing import final

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from latentlab.data.images import Images
from latentlab.data.loader import Binarize, ResidentLoader
from latentlab.evaluation import trained_once
from latentlab.evaluation.trained_once import digest
from latentlab.evaluation.waiting import reported
from latentlab.functional.batch import AnyLabel, Batch, Image
from latentlab.functional.corruption import Corruption
from latentlab.functional.schedules import OneCycleRate
from latentlab.models.nets import initialization, levels, resnet
from latentlab.models.nets.activations import Activation

NAME = "reference denoiser"
WIDTHS = (16, 32, 64)  # channels at the image's size, half and a quarter of it
ACTIVATION: Activation = "silu"
STEPS = 1_000
PIXELS = 128 * 28 * 28  # of a batch at most, so that a step of large images takes no longer
LARGEST_BATCH = 128
PEAK_RATE = 3e-3
CODE = (__file__, *(str(module.__file__) for module in (initialization, levels, resnet)))


@final
class ReferenceDenoiser(nn.Module):
    """A U-Net (Ronneberger et al. 2015) of residual blocks: two halvings, two doublings, and sums across.

    Returns the logits of the clean image, whose sigmoid is its expected value.
    """

    def __init__(self, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, sizes = image_shape[0], levels.sizes_of(image_shape, len(WIDTHS) - 1)
        self.stem = nn.Conv2d(channels, WIDTHS[0], 3, padding=1)
        self.inwards = nn.ModuleList(_block(width) for width in WIDTHS)
        self.halvings = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(WIDTHS))
        self.outwards = nn.ModuleList(_block(width) for width in WIDTHS)
        self.doublings = nn.ModuleList(
            nn.ConvTranspose2d(b, a, 3, stride=2, padding=1, output_padding=levels.missing_pixels(*size))
            for (a, b), size in zip(pairwise(WIDTHS), sizes, strict=False)
        )
        self.head = nn.Sequential(
            *resnet.normalized(WIDTHS[0], ACTIVATION), nn.Conv2d(WIDTHS[0], channels, 3, padding=1)
        )

    def forward(self, noisy: Image) -> Image:
        h, across = self.stem(noisy), []
        for block, halve in zip(self.inwards, (*self.halvings, nn.Identity()), strict=True):
            across.append(block(h))
            h = halve(across[-1])
        h = self.outwards[-1](h)
        for level in reversed(range(len(WIDTHS) - 1)):
            h = self.outwards[level](across[level] + self.doublings[level](h))
        return self.head(h)

    @property
    def device(self) -> torch.device:
        return self.stem.weight.device

    def reconstruct(self, x: Image, y: AnyLabel = None) -> Image:
        """The expected clean images of corrupted ones."""
        return self(x).sigmoid()


def load_or_train(
    images: Images, binarize: Binarize, corruption: Corruption, folder: Path | str, device: torch.device | None = None
) -> ReferenceDenoiser:
    """The denoiser of these images and this corruption: loaded from `folder`, or trained and saved in it.

    The name of its file is a hash of the images, of what binarisation and corruption make of the first of them, and of
    the code that trains. It is in evaluation mode, on `device`, or on the images' own.
    Raises as `trained_once.load_or_train` does.
    """
    device = device or images.labels.device
    cpu = torch.device("cpu")  # the same file for every device
    first = next(_batches(images.to(cpu), binarize, cpu))
    seen = (first.x, corruption(first.x, first.random))

    def make() -> ReferenceDenoiser:
        return ReferenceDenoiser(images.shape).to(device)

    return trained_once.load_or_train(
        NAME,
        Path(folder) / f"{digest(images, CODE, seen)}.pt",
        make,
        lambda denoiser: _train(denoiser, _batches(images, binarize, device), corruption),
    )


def _train(denoiser: ReferenceDenoiser, batches: Iterator[Batch], corruption: Corruption) -> None:
    """Adam with a one-cycle rate on the binary cross-entropy, which as the squared error is least at the mean."""
    optimizer = torch.optim.Adam(denoiser.parameters(), lr=PEAK_RATE)
    rate = OneCycleRate(warmup=0.2, start=0.04, final=1e-3)
    for step, batch in enumerate(reported(islice(batches, STEPS), STEPS, f"training the {NAME}")):
        optimizer.param_groups[0]["lr"] = PEAK_RATE * rate(step, STEPS)
        logits = denoiser(corruption(batch.x, batch.random))
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(logits, batch.x).backward()
        optimizer.step()


def _batches(images: Images, binarize: Binarize, device: torch.device) -> Iterator[Batch]:
    """Passes without end, each in a new order with new draws, from seed 0."""
    _, height, width = images.shape
    size = max(1, min(LARGEST_BATCH, PIXELS // (height * width)))
    loader = ResidentLoader(
        images,
        batch_size=size,
        seed=0,
        stage=NAME,
        epoch=count().__next__,
        binarize=binarize,
        device=None if images.labels.device == device else device,
    )
    while True:
        yield from loader


def _block(width: int) -> nn.Module:
    return resnet.ResidualBlock(width, ACTIVATION, scale=1 / (2 * len(WIDTHS)) ** 0.5)

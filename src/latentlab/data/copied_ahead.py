"""Images that do not fit on the training device stay in host memory; their batches are copied ahead of their use."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from jaxtyping import Int
from torch import Tensor

from latentlab.data.images import Images, Splits

AHEAD = 2  # batches that are on their way while one is used
SHARE = 0.6  # of the device's free memory, up to which images are held there; the rest is the model's

Copied = tuple[Images, torch.cuda.Event | None]


def fits(splits: Splits, device: torch.device) -> bool:
    """Whether the images take at most 60 % of the device's free memory; those of the CPU are there already."""
    if device.type != "cuda":
        return True
    size = sum(images.nbytes for images in splits if images.labels.device != device)
    free, _ = torch.cuda.mem_get_info(device)
    return size <= SHARE * free


def copied_ahead(images: Images, batches: Iterable[Int[Tensor, " b"]], device: torch.device) -> Iterator[Images]:
    """The rows of each batch, on the device; a thread gathers and copies those of the next ones meanwhile.

    images: in host memory. batches: indices, on the CPU.
    """
    stream = torch.cuda.Stream(device) if device.type == "cuda" else None
    with ThreadPoolExecutor(1, "copy-ahead") as worker:
        waiting: deque[Future[Copied]] = deque()
        for rows in batches:
            waiting.append(worker.submit(_copied, images, rows, device, stream))
            if len(waiting) > AHEAD:
                yield _arrived(waiting.popleft().result(), device)
        while waiting:
            yield _arrived(waiting.popleft().result(), device)


def _copied(images: Images, rows: Int[Tensor, " b"], device: torch.device, stream: torch.cuda.Stream | None) -> Copied:
    own = images.take(rows)
    if stream is None:
        return own.to(device), None
    pinned = (own.pixels.pin_memory(), own.labels.pin_memory())
    with torch.cuda.stream(stream):
        there = Images(*(tensor.to(device, non_blocking=True) for tensor in pinned))
        event = torch.cuda.Event()
        event.record(stream)
    return there, event


def _arrived(copied: Copied, device: torch.device) -> Images:
    """The images, of which the device's own stream waits for the copy."""
    images, event = copied
    if event is not None:
        current = torch.cuda.current_stream(device)
        current.wait_event(event)
        for tensor in (images.stored, images.labels):
            tensor.record_stream(current)  # its memory is not reused before the step has read it
    return images

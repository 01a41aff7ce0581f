"""Networks that the evaluation trains once and keeps in a file: one process trains, others wait, later ones load."""

import ast
import hashlib
import io
import logging
import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import chain
from pathlib import Path
from typing import TypeVar

import torch
from filelock import Timeout
from torch import Tensor, nn

from latentlab.data.images import Images
from latentlab.data.one_at_a_time import one_at_a_time
from latentlab.errors import UserError
from latentlab.runs.files import write_atomically

Network = TypeVar("Network", bound=nn.Module)

LOCK_TIMEOUT = 1800.0  # seconds for another process to train it

log = logging.getLogger(__name__)


def load_or_train(name: str, file: Path, make: Callable[[], Network], train: Callable[[Network], None]) -> Network:
    """The network that `make` returns, loaded from `file`, or trained and saved in it; in evaluation mode.

    Its weights and training are drawn from seed 0; the random state of the caller is not changed. A damaged file is
    logged and replaced.
    name: of the network, for the log.

    Raises:
        UserError: another process has held its lock for half an hour.
        OSError: the file cannot be written; the error names it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with only_process(name, file.with_suffix(".lock")), torch.random.fork_rng():
        torch.manual_seed(0)
        network = make()
        loaded = _loaded(name, network, file)
        if loaded is None:
            log.info("training the %s once; it is kept in %s", name, file)
            with torch.enable_grad():
                train(network.train())
            buffer = io.BytesIO()
            torch.save(network.state_dict(), buffer)
            write_atomically(file, buffer.getbuffer())
    return (loaded or network).eval().requires_grad_(False)


def digest(images: Images, code: Iterable[str], further: Iterable[Tensor] = ()) -> str:
    """The name of a file: 16 hexadecimal digits of a hash of what determines its content.

    code: the files whose code makes it; their comments and docstrings do not count. further: what else it depends on.
    """
    found = hashlib.sha256("".join(_statements(Path(file)) for file in code).encode())
    for tensor in chain(images.chunks(), [images.labels], further):
        found.update(str(tuple(tensor.shape)).encode())
        found.update(tensor.cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def _statements(file: Path) -> str:
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            del node.body[0]
    return ast.dump(tree)


@contextmanager
def only_process(name: str, lock: Path) -> Iterator[None]:
    """While no other process works on what is called `name`.

    Raises:
        UserError: another one has held the lock for half an hour.
    """
    try:
        with one_at_a_time(lock, LOCK_TIMEOUT):
            yield
    except Timeout as error:
        raise UserError(
            f"{lock}: another process has been working on the {name} for {LOCK_TIMEOUT / 60:.0f} minutes; "
            "wait until it ends, or stop it"
        ) from error


def _loaded(name: str, network: Network, file: Path) -> Network | None:
    """A copy of the network with the weights in the file; None where it holds none, or cannot be read."""
    if not file.is_file():
        return None
    loaded = deepcopy(network)
    try:
        loaded.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except (RuntimeError, EOFError, OSError, TypeError, AttributeError, pickle.UnpicklingError) as error:
        log.warning("%s is damaged (%s): the %s is trained again", file, type(error).__name__, name)
        return None
    return loaded

"""Where one reader of the page is in the latent space, and who wants to know when this changes."""

from collections.abc import Callable
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.explore.latent_space import LatentSpace
from latentlab.functional.batch import NO_LABEL


@final
class Walk:
    """The current code and label, the code that was pinned last, and the image that they come from.

    code, pinned, own: (D,); own is the image's code. image: (C, H, W). index: of the test image, or None.
    """

    def __init__(self, space: LatentSpace, seed: int) -> None:
        self.space = space
        self.generator = torch.Generator().manual_seed(seed)
        self._watchers: list[Callable[[], None]] = []
        self.take_test_image(0)

    def watch(self, callback: Callable[[], None]) -> None:
        """Have `callback` called after each change, and now."""
        self._watchers.append(callback)
        callback()

    def go(self, code: Float[Tensor, " d"]) -> None:
        """Make it the current code; the pinned one stays."""
        self.code = code.clone()
        self._tell()

    def pin(self, code: Float[Tensor, " d"]) -> None:
        """Make it the current and the pinned code."""
        self.pinned = code.clone()
        self.go(code)

    def relabel(self, label: int) -> None:
        """Decode under another label."""
        self.label = label
        self._tell()

    def take_test_image(self, index: int) -> None:
        """Start from a test image and its code."""
        images = self.space.images
        self.label = int(images.y[index])
        self.index: int | None = index
        self.image, self.own = images.x[index], self.space.codes.z[index]
        self.pin(self.own)

    def take_image(self, image: Float[Tensor, "c h w"]) -> None:
        """Start from an image of one's own and its code under the current label."""
        self.index, self.image = None, image
        self.own = self.space.encode(image.unsqueeze(0), self.label)[0]
        self.pin(self.own)

    def any_test_image(self) -> int:
        """The index of one, at random."""
        return int(torch.randint(len(self.space.images.y), (), generator=self.generator))

    def picture(self, code: Float[Tensor, " d"] | None = None) -> Float[Tensor, "c h w"]:
        """What a code, or the current one, decodes to under the current label."""
        return self.space.decode((self.code if code is None else code).unsqueeze(0), self.label)[0]

    def _tell(self) -> None:
        for callback in self._watchers:
            callback()


def label_in_words(space: LatentSpace, label: int) -> str:
    """A label's name; empty for an image without one."""
    return space.classes[label] if label != NO_LABEL and space.classes else ""

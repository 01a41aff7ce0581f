"""Data sets that come with their splits, or without: which images are held out, and how large the images are."""

from abc import ABC
from collections.abc import Mapping

from latentlab.data.base import ImageDataModule
from latentlab.data.images import MAX_SIDE, MIN_SIDE, Images, Splits, divide_by_class
from latentlab.data.loader import Binarize
from latentlab.errors import DataError


class SplittingDataModule(ImageDataModule, ABC):
    """Images with the splits that they come with; a missing one is drawn from the training images, class by class.

    Args:
        name: of the data set, in reports and pictures.
        image_size: height and width in pixels to which images are resized, 8 to 128; null: all have one size already.
        validation: the share, or the number, of the training images that become the validation images, where the data
            has none.
        test: the same of the test images.
        batch_size, binarize, labels, seed, split_seed: see `ImageDataModule`.

    Raises:
        ValueError: a value out of range.
    """

    def __init__(
        self,
        name: str,
        image_size: int | None = None,
        validation: float = 0.1,
        test: float = 0.1,
        batch_size: int = 128,
        binarize: Binarize = None,
        labels: bool = True,
        seed: int = 0,
        split_seed: int = 0,
    ) -> None:
        super().__init__(batch_size, binarize, labels, seed, split_seed)
        if image_size is not None and not MIN_SIDE <= image_size <= MAX_SIDE:
            raise ValueError(f"image_size: expected {MIN_SIDE} to {MAX_SIDE}, or null, found {image_size}")
        for argument, share in (("validation", validation), ("test", test)):
            # 1.0 is refused: it may be meant as one image, or as all of them
            is_count = float(share).is_integer() and (share > 1 or (share == 1 and isinstance(share, int)))
            if not (0 < share < 1 or is_count):
                raise ValueError(f"{argument}: expected a share below 1, or a number of images, found {share}")
        self.name = name
        self.image_size = image_size
        self.held_out = {"validation": validation, "test": test}

    def divided(self, given: Mapping[str, Images], place: str) -> Splits:
        """The given splits, at least "train", with those that are missing taken out of the training images.

        place: what an error calls them by.

        Raises:
            DataError: nothing is left for a split.
        """
        total = len(given["train"].labels)
        sizes = {
            name: int(share * total) if share < 1 else int(share)
            for name, share in self.held_out.items()
            if name not in given
        }
        rest = total - sum(sizes.values())
        asked = " and ".join(f"data.{name}={self.held_out[name]}" for name in sizes)
        for name, size in {"train": rest, **sizes}.items():
            if size < 1:
                key = name if name in sizes else next(iter(sizes))
                left = f"{asked} of {total:,} images in {place} leave none for {name}"
                raise DataError(f"data.{key}: {left}; expected at least one")
        parts = divide_by_class(given["train"], (*sizes.values(), rest), self.split_seed)
        drawn = dict(zip((*sizes, "train"), parts, strict=True)) if sizes else {}
        return Splits(**{**given, **drawn})

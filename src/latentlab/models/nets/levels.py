"""The levels of convolutional networks: each halves the image on the way in, and doubles it on the way out."""

from collections.abc import Sequence

from latentlab.models.nets.base import checked_widths

SIDE_WITHOUT_FURTHER_LEVELS = 32  # pixels


def channels_of(widths: Sequence[int], image_shape: tuple[int, int, int], levels: int | None = None) -> list[int]:
    """The channels of each level, which halves the image.

    widths: of the first levels; each further one has twice the channels of the one before.
    levels: None for one per width, and for a shorter side above 32 pixels at least two and one more for each doubling:
        the smallest feature map, whose linear map has most of the parameters, does not grow with the image.

    Raises:
        ValueError: no widths, or widths that are not positive; or fewer levels than widths.
    """
    channels = [*checked_widths(widths)]
    doublings = ((min(image_shape[1:]) - 1) // SIDE_WITHOUT_FURTHER_LEVELS).bit_length()
    wanted = levels if levels is not None else max(len(channels), 2 + doublings if doublings else 0)
    if wanted < len(channels):
        raise ValueError(f"levels: expected at least one per width, {len(channels)}, found {levels}")
    return channels + [channels[-1] * 2**k for k in range(1, wanted - len(channels) + 1)]


def sizes_of(image_shape: tuple[int, int, int], halvings: int) -> list[tuple[int, int]]:
    """Height and width of the image and after each halving; an odd side is rounded up.

    Raises ValueError where the shorter side is one pixel before the last halving.
    """
    _, height, width = image_shape
    most = (min(height, width) - 1).bit_length()
    if halvings > most:
        raise ValueError(
            f"widths: expected at most {most} widths or levels, as each halves the {height}x{width} image, "
            f"found {halvings}; drop {halvings - most}"
        )
    return [(-(-height // 2**k), -(-width // 2**k)) for k in range(halvings + 1)]


def missing_pixels(height: int, width: int) -> tuple[int, int]:
    """The output padding of a 3x3 transposed convolution of stride 2 and padding 1 that restores height and width.

    It makes 2 ceil(n / 2) - 1 pixels of ceil(n / 2), which is n - 1 where n is even.
    """
    return 1 - height % 2, 1 - width % 2

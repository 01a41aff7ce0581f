"""The bytes of the page without a server: images are left out, or made smaller, until it is small enough."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from bokeh.models import Select
from PIL import Image

from latentlab.errors import UserError
from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.opening import open_runs
from latentlab.explore.standalone.label import label_panel
from latentlab.explore.standalone.page import MOST, write_page
from latentlab.explore.standalone.sprites import LONGEST, PIXELS, Budget, Sprite, Tiles
from tests.called import called
from tests.models.variants import build

SMOKE = ["data=digits", "trainer=smoke", "model.latent_dim=2", "callbacks=no_pictures", "logger=none", "quiet=true"]


@pytest.fixture(scope="module")
def space(tmp_path_factory) -> LatentSpace:
    """Of images of 28 x 28 pixels."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert called("train", *SMOKE, f"hydra.run.dir={folder}").returncode == 0
    [opened] = open_runs([folder], None)
    return opened


def noise(count: int, channels: int = 1, side: int = 16) -> torch.Tensor:
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(0))


def picture(sprite: Sprite) -> np.ndarray:
    """The pixels of its PNG."""
    content = re.search(r"base64,([^)]*)\)", sprite.sheet.css)[1]
    assert sprite.size == len(content)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sprite_has_every_image_to_the_level(channels):
    images = noise(7, channels)
    found = picture(Sprite(Tiles(images, 3), shrink=1)).reshape(48, 48, channels)
    for k, image in enumerate(images):
        row, column = divmod(k, 3)
        cut = found[16 * row : 16 * (row + 1), 16 * column : 16 * (column + 1)]
        assert np.array_equal(cut, (255 * image).round().permute(1, 2, 0).numpy())
    assert not found[32:, 16:].any()  # no image


def test_images_are_left_out_until_they_fit():
    budget = Budget(100_000)
    [whole] = budget.sprites(lambda side: [Tiles(noise(side**2), side)], 10, 2, 50_000)
    assert whole.columns == 10
    [fewer] = budget.sprites(lambda side: [Tiles(noise(side**2), side)], 10, 2, 10_000)
    assert (2 <= fewer.columns < 10, fewer.width) == (True, 16)
    assert 5_000 < fewer.size <= 10_000
    assert budget.left == 100_000 - whole.size - fewer.size


def test_where_even_the_fewest_do_not_fit_they_are_made_smaller():
    [small] = Budget(0).sprites(lambda count: [Tiles(noise(count), count)], 8, 4, 900)
    assert small.columns == 4
    assert small.width < 16
    assert small.size <= 900
    [least] = Budget(0).sprites(lambda count: [Tiles(noise(count), count)], 8, 4, 0)
    assert (least.width, least.columns) == (1, 4)


def test_large_images_are_averaged_and_their_number_is_limited():
    images = torch.zeros(1, 1, 300, 200)
    [one] = Budget(0).sprites(lambda _: [Tiles(images, 1)], 1, 1, 10**6)
    assert (one.height, one.width) == (100, 67)
    assert max(one.height, one.width) <= LONGEST
    [many] = Budget(0).sprites(lambda side: [Tiles(images.expand(side**2, -1, -1, -1), side)], 41, 2, 10**6)
    assert many.pixels <= PIXELS


@pytest.mark.slow
@pytest.mark.parametrize("runs", [1, 6])
def test_a_page_is_at_most_five_megabytes(space, tmp_path, runs):
    spaces = [replace(space, name=f"run {k}") for k in range(runs)]
    file = write_page(spaces, tmp_path / "page.html")
    assert file.stat().st_size <= MOST == 5_000_000
    places = [int(found.replace(",", "")) for found in re.findall(r"One of ([\d,]+) places", file.read_text())]
    assert len(places) == runs
    assert min(places) >= (41**2 if runs == 1 else 20**2)


def test_a_smaller_limit_is_kept_too(space, tmp_path):
    spaces = [replace(space, name=f"run {k}") for k in range(2)]
    sizes = [write_page(spaces, tmp_path / "page.html", most).stat().st_size for most in (2_600_000, 2_000_000)]
    assert sizes[0] <= 2_600_000
    assert sizes[1] <= 2_000_000


def test_a_limit_that_no_page_keeps_is_one_line(space, tmp_path):
    """How large the smallest page is depends on the installed Bokeh, whose JavaScript is in it."""
    with pytest.raises(UserError, match=r"output: expected at most 1,000,000 bytes, found [12],\d{3},\d{3}; choose"):
        write_page([space], tmp_path / "page.html", 1_000_000)
    assert not any(tmp_path.iterdir())


def test_many_labels_are_in_a_list(digits, monkeypatch):
    monkeypatch.setattr(digits, "class_names", tuple(f"class {k}" for k in range(120)))
    space = LatentSpace(build("cvae", num_classes=120).eval(), digits, "run", "best")
    choice = label_panel(space, Budget(10**6), 10**5).children[0]
    assert isinstance(choice, Select)
    assert choice.options[-1] == ("99", "class 99")

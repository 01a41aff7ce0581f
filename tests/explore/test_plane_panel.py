"""The plane's panel follows the walk, also of more than two units, and moves it only where the reader does."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.opening import open_runs
from latentlab.explore.panels.plane import UNITS, PlanePanel
from latentlab.explore.panels.units import UnitsPanel
from latentlab.explore.walk import Walk
from tests.called import called

SMOKE = ["data=digits", "data.image_size=8", "trainer=smoke", "callbacks=no_pictures", "logger=none", "quiet=true"]


@pytest.fixture(scope="module")
def space(tmp_path_factory) -> LatentSpace:
    """Of a conditional model of four units."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert called("train", *SMOKE, "model=cvae", "model.latent_dim=4", f"hydra.run.dir={folder}").returncode == 0
    [opened] = open_runs([folder], None)
    return opened


@pytest.fixture
def walk(space) -> Walk:
    return Walk(space, seed=0)


@pytest.fixture
def plane(walk) -> PlanePanel:
    return PlanePanel(walk)


def test_a_unit_moved_alone_leaves_the_other_units_and_the_pinned_code(walk, plane):
    pinned, units = walk.pinned, UnitsPanel(walk)
    expected = walk.code.clone()
    expected[2] += 1.5
    units.sliders[2].value = float(expected[2])
    assert torch.equal(walk.code, expected)
    assert torch.equal(walk.pinned, pinned)
    assert [slider.value for slider in plane.steps] == plane.plane.places(expected.unsqueeze(0))[0].tolist()


def test_a_test_image_has_its_own_code_after_the_sliders_followed(walk, plane):
    walk.take_test_image(5)
    assert torch.equal(walk.code, walk.own)
    assert torch.equal(walk.pinned, walk.own)


def test_another_plane_does_not_move_the_code(walk, plane):
    code = walk.code
    plane.choice.value = UNITS
    assert torch.equal(walk.code, code)


def test_a_slider_of_the_plane_moves_along_its_axis_alone(walk, plane):
    start = plane.plane.places(walk.code.unsqueeze(0))[0]
    plane.steps[1].value = float(start[1]) + 0.5
    end = plane.plane.places(walk.code.unsqueeze(0))[0]
    torch.testing.assert_close(end - start, torch.tensor([0.0, 0.5]), atol=1e-5, rtol=0)
    assert torch.equal(walk.pinned, walk.code)


@pytest.mark.parametrize(
    "change", [lambda walk: walk.relabel((walk.label + 1) % 10), lambda walk: walk.pin(walk.code + 1)]
)
def test_the_decoded_grid_is_of_the_current_label_and_the_pinned_code(walk, plane, change: Callable[[Walk], None]):
    plane.grid.active = True
    before = plane.behind.data["image"][0]
    change(walk)
    after = plane.behind.data["image"][0]
    assert not np.array_equal(before, after)
    plane.grid.active = False
    plane.grid.active = True
    assert np.array_equal(after, plane.behind.data["image"][0])


def test_a_label_is_no_markup(walk, plane, monkeypatch):
    monkeypatch.setattr(walk.space.data, "class_names", tuple("<b>$$x$$" for _ in range(10)))
    walk.pin(walk.own)
    assert "(label &lt;b&gt;$$x$$)" in plane.words.text
    assert plane.words.disable_math

"""The page without a server, in a real browser: what the model decodes is on the screen, and nothing is requested."""

import base64
import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.opening import open_runs
from latentlab.explore.panels.plane import whole_plane
from latentlab.explore.plane import bounds
from latentlab.explore.standalone.page import write_page
from latentlab.functional.paths import linear, spherical
from tests.called import called
from tests.explore.served import FIRST, Page
from tests.report.browser import CHROMIUM

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")]

SMALL = ["data=digits", "data.image_size=8", "net.widths=[32]", "callbacks=no_pictures", "logger=none", "quiet=true"]
TRAINED = ["trainer=smoke", "trainer.limit_train_batches=1.0", "trainer.max_epochs=8", "optimizer.lr=0.01"]
RUNS = {
    "two": ["model=vae", "model.latent_dim=2"],
    "one": ["model=ae", "model.latent_dim=1"],
    "four": ["model=cvae", "model.latent_dim=4"],
}
LEVELS = 2  # of 255, by which the screen may differ: codes are decoded in batches of another size here
HOME, END, RIGHT = ("Home", 36), ("End", 35), ("ArrowRight", 39)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("runs")
    for name, arguments in RUNS.items():
        done = called("train", *SMALL, *TRAINED, *arguments, f"hydra.run.dir={root / name}")
        assert done.returncode == 0, done.stderr
    return {name: root / name for name in RUNS}


@pytest.fixture(scope="module")
def spaces(folders) -> dict[str, LatentSpace]:
    return {space.name: space for space in open_runs(list(folders.values()), None)}


@pytest.fixture(scope="module")
def files(spaces, tmp_path_factory) -> dict[str, Path]:
    """The page of each run, and one of "all"."""
    folder = tmp_path_factory.mktemp("pages")
    chosen = {"all": list(spaces.values()), **{name: [space] for name, space in spaces.items()}}
    return {name: write_page(some, folder / f"{name}.html") for name, some in chosen.items()}


@pytest.fixture(scope="module")
def window(files) -> Page:
    page = Page(files["all"], until=FIRST)
    yield page
    page.close()


@pytest.fixture
def opened(window, files) -> Callable[[str], Page]:
    """The name of a page -> the window, which shows it."""

    def show(name: str) -> Page:
        window.open(files[name])
        return window

    return show


def view(page: Page, name: str, expression: str):
    """The value of a JavaScript expression of the `view` of the model of that name."""
    model = f"Bokeh.documents[0].get_model_by_name({json.dumps(name)})"
    return page.browser.run(f"(() => {{ const view = Bokeh.index.find_one({model}); return {expression}; }})()")


def press(page: Page, slider: str, *key: object) -> None:
    """Press a key while a slider has the focus."""
    view(page, slider, "view.shadow_el.querySelector('.noUi-handle').focus()")
    page.browser.press(*key)


def screen(page: Page, name: str, height: int, width: int) -> Float[Tensor, "h w"]:
    """The levels that the screen has in the middle of each pixel of a picture of that size."""
    x, y, wide, high = view(
        page,
        name,
        "(view.el.scrollIntoView({block: 'center', behavior: 'instant'}),"
        " (b => [b.x + scrollX, b.y + scrollY, b.width, b.height])(view.el.getBoundingClientRect()))",
    )
    clip = {"x": x, "y": y, "width": wide, "height": high, "scale": 1}
    answer = page.browser.call("Page.captureScreenshot", format="png", clip=clip)
    levels = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["data"]))).convert("L"), np.float32)
    rows, columns = (((np.arange(n) + 0.5) * side / n).astype(int) for n, side in ((height, high), (width, wide)))
    return torch.from_numpy(levels[rows][:, columns].copy())


def shows(page: Page, name: str, image: Float[Tensor, "c h w"]) -> None:
    """Wait until the picture of that name is this one."""
    deadline = time.monotonic() + 20
    while (difference := float((screen(page, name, *image.shape[1:]) - 255 * image[0]).abs().max())) > LEVELS:
        assert time.monotonic() < deadline, f"{name} differs by {difference} grey levels"


def decoded(space: LatentSpace, code: Float[Tensor, " d"], label: int | None = None) -> Float[Tensor, "c h w"]:
    """Under the label of test image 0, or another."""
    return space.decode(code.unsqueeze(0), int(space.images.y[0]) if label is None else label)[0].clamp(0, 1)


def nearest_place(space: LatentSpace, place: list[float], side: int) -> Float[Tensor, " k"]:
    """Of a grid of `side` places in each direction over the range of the codes."""
    spans = bounds(whole_plane(space).places(space.codes.z))
    lines = [torch.linspace(low, high, side) for low, high in spans]
    return torch.stack([line[(line - at).abs().argmin()] for line, at in zip(lines, place, strict=True)])


def at(space: LatentSpace, place: Float[Tensor, " k"]) -> Float[Tensor, " d"]:
    """The code of a place on the plane through the code of test image 0."""
    return whole_plane(space).codes(place.unsqueeze(0), space.codes.z[0])[0]


def first_of(space: LatentSpace, label: int) -> int:
    """The first test image of a label."""
    return space.images.y.tolist().index(label)


def errors(page: Page) -> list[object]:
    return [message for message in page.browser.console_messages if message.get("type") not in ("log", "info")]


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("name", ["all", "four", "one"])
def test_the_page_requests_nothing_logs_no_error_and_does_not_scroll_sideways(window, opened, files, name, width):
    window.browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
    )
    page = opened(name)
    assert page.browser.requests == [files[name].resolve().as_uri()]
    assert errors(page) == []
    assert page.browser.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("name", "side"), [("two", 41), ("four", 41), ("one", 201)])
def test_what_lies_under_the_pointer_is_decoded(opened, spaces, name, side):
    page, space = opened(name), spaces[name]
    spans = bounds(whole_plane(space).places(space.codes.z))
    images = []
    for share in (0.13, 0.88):
        place = [low + share * (high - low) for low, high in spans]
        page.point(f"place {name}", *(place if len(place) == 2 else [*place, 3.0]))
        images.append(decoded(space, at(space, nearest_place(space, place, side))))
        shows(page, f"decoded {name}", images[-1])
    assert (images[0] - images[1]).abs().max() > 0.1  # another picture


def test_the_keyboard_moves_to_the_next_place_of_the_plane(opened, spaces):
    page, space = opened("four"), spaces["four"]
    plane = whole_plane(space)
    place = nearest_place(space, plane.places(space.codes.z[:1])[0].tolist(), 41)
    shows(page, "decoded four", decoded(space, at(space, place)))
    low, high = bounds(plane.places(space.codes.z))[0]
    for step in range(1, 4):
        press(page, f"four: {plane.names[0]}", *RIGHT)
        shows(page, "decoded four", decoded(space, at(space, place + torch.tensor([step * (high - low) / 40, 0]))))


def test_a_slider_of_a_unit_changes_this_unit_alone(opened, spaces):
    page, space = opened("four"), spaces["four"]
    for unit in space.units:
        for end, key in enumerate((HOME, END)):
            code = space.codes.z[0].clone()
            code[unit] = space.ranges[unit, end]
            press(page, f"four: unit {unit}", *key)
            shows(page, f"four: image of unit {unit}", decoded(space, code))


def test_the_most_active_unit_is_the_first(opened, spaces):
    page = opened("four")
    tops = [view(page, f"four: unit {unit}", "view.el.getBoundingClientRect().y") for unit in spaces["four"].units]
    assert tops == sorted(tops)


def test_a_label_is_told_to_the_decoder_of_every_code(opened, spaces):
    page, space = opened("four"), spaces["four"]
    view(page, "four: label", "view.shadow_el.querySelectorAll('.bk-btn')[7].click()")
    for label in range(5):
        shows(page, f"four: code {label}", decoded(space, space.codes.z[first_of(space, label)], 7))


def test_a_path_between_two_images_is_under_its_scrubber(opened, spaces):
    page, space = opened("two"), spaces["two"]
    pairs = [[space.codes.z[first_of(space, label)] for label in (2 * k, 2 * k + 1)] for k in range(4)]
    middles = torch.tensor([[0.5]])

    def bend(k: int) -> float:
        """How much the two paths differ in the middle."""
        one, other = (decoded(space, path(*pairs[k], middles)[0]) for path in (linear, spherical))
        return float((one - other).abs().max())

    most = max(range(4), key=bend)
    assert bend(most) > 0.1
    page.set("two: pair", "value", str(most))
    for button, path in enumerate((linear, spherical)):
        view(page, "two: path", f"view.shadow_el.querySelectorAll('.bk-btn')[{button}].click()")
        press(page, "two: fraction", *HOME)
        for step in range(11):
            shows(page, "two: between", decoded(space, path(*pairs[most], torch.tensor([[step / 20]]))[0]))
            press(page, "two: fraction", *RIGHT)


def test_another_run_is_chosen(opened, spaces):
    page, space = opened("all"), spaces["four"]
    page.set("choice", "value", "2")
    place = whole_plane(space).places(space.codes.z[9:10])[0].tolist()
    page.point("place four", *place)
    shows(page, "decoded four", decoded(space, at(space, nearest_place(space, place, 41))))
    page.set("choice", "value", "1")
    page.wait("Bokeh.documents[0].get_model_by_name('label_panel').children[0].text == 'AE one takes no label.'")


def test_a_click_on_a_mark_takes_its_image_in_every_run(opened, spaces):
    page, one = opened("all"), spaces["two"]
    places = whole_plane(one).places(one.codes.z)
    index = int((places[:, 0] - places[:, 0].mean()).abs().argmax())  # far from the others
    assert index > 0
    page.click("ring two", *places[index].tolist())
    page.wait(f"Bokeh.documents[0].get_model_by_name('test image').value === '{index}'")
    image, label = one.images.x[index], int(one.images.y[index])
    shows(page, "seen", image)
    for name, space in spaces.items():
        restored = decoded(space, space.codes.z[index], label)
        shows(page, f"restored {name}", restored)
        error = float((restored - image).square().mean())
        assert page.model(f"error {name}", "text") == f"squared error per pixel: {error:.4f}"
        place = whole_plane(space).places(space.codes.z[index : index + 1])[0].tolist()
        ring = [page.model(f"ring {name}", f"data.{axis}[0]") for axis in "xy"]
        assert ring[: len(place)] == pytest.approx(place, rel=1e-5)


def test_an_image_is_chosen_from_a_list_too(opened, spaces):
    page = opened("all")
    page.set("test image", "value", "42")
    shows(page, "seen", spaces["two"].images.x[42])
    assert page.model("codes", "selected.indices") == [42]


def test_names_of_runs_and_classes_are_text(window, spaces, tmp_path, monkeypatch):
    hostile = "<img src=x onerror='window.hacked = 1'></script>$$x^2$$ {{ 1 }} \udcff"
    data = spaces["two"].data
    monkeypatch.setattr(data, "class_names", tuple(f"{name} {hostile}" for name in data.class_names))
    several = [LatentSpace(spaces[name].model, data, f"{name} {hostile}", "best") for name in ("two", "four")]
    file = write_page(several, tmp_path / "page.html")
    window.open(file)
    window.set("choice", "value", "1")
    window.wait("Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name('label_panel')).child_views.length")
    assert window.browser.requests == [file.resolve().as_uri()]
    assert errors(window) == []
    assert window.browser.run("window.hacked") is None
    assert view(window, "choice", "view.input_el.options[1].textContent") == f"CVAE {several[1].name}"

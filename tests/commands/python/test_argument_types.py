"""An argument of another type than the documented one is an error that names it."""

import numpy as np
import pytest
import torch

import latentlab as ll

pytestmark = pytest.mark.usefixtures("unchecked")
BUILD = {"image_shape": (1, 8, 8)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_shape": 28}, r"image_shape: expected \(channels, height, width\), found 28"),
        ({"image_shape": (1, 8.0, 8)}, r"image_shape\[1\]: expected a whole number, found 8.0"),
        ({"image_shape": "abc"}, r"image_shape\[0\]: expected a whole number, found 'a'"),
        ({"image_shape": (1, 8)}, r"image_shape: expected \(channels, height, width\), found \(1, 8\)"),
        ({**BUILD, "num_classes": "10"}, "num_classes: expected a whole number, found '10'"),
        ({**BUILD, "latent_dim": 2.5}, "latent_dim: expected a whole number, found 2.5"),
        ({**BUILD, "net": 3}, "net: expected a text, found 3"),
        ({**BUILD, "config_dir": 3}, "config_dir: expected a folder, found 3"),
    ],
)
def test_of_a_build(options, message):
    with pytest.raises(ll.UserError, match=f"^{message}$"):
        ll.build("vae", **options)


def test_whole_numbers_may_be_those_of_other_libraries():
    for shape in (torch.Size((1, 8, 8)), np.array([1, 8, 8]), torch.tensor([1, 8, 8]), [1, 8, 8]):
        model = ll.build("cvae", image_shape=shape, latent_dim=torch.tensor(3), num_classes=np.int64(4))
        assert (model.image_shape, model.latent_dim) == ((1, 8, 8), 3)
    assert {type(number) for number in (*model.image_shape, model.num_classes)} == {int}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"suite": ["quick"]}, r"suite: expected a text, found \['quick'\]"),
        ({"samples": "10"}, "samples: expected a whole number, found '10'"),
        ({"samples": True}, "samples: expected a whole number, found True"),
        ({"device": 0}, "device: expected auto.*, found 0"),
        ({"output_dir": None}, "output_dir: expected a folder, found None"),
        ({"data_root": 3}, "data_root: expected a folder, found 3"),
        ({"measurements": [print]}, "measurements: expected {name: function}, found .*"),
        ({"measurements": {"mine": 3}}, r"measurements\.mine: expected a function of the Subject, found 3"),
        ({"measurements": {3: print}}, "measurements: expected a name as a text, found 3"),
    ],
)
def test_of_an_evaluation(run, options, message):
    with pytest.raises(ll.UserError, match=f"^{message}$"):
        ll.evaluate(run, **options)


@pytest.mark.parametrize("folder", [3, None, ["run"]])
def test_of_a_run(folder):
    for ask in (ll.load, ll.evaluate):
        with pytest.raises(ll.UserError, match="run: expected a run's folder, found"):
            ask(folder)


def test_of_a_training(folder):
    with pytest.raises(ll.UserError, match="config_dir: expected a folder, found 3"):
        ll.train(config_dir=3)
    with pytest.raises(ll.UserError, match="name: expected a text, found 3"):
        ll.train(data=ll.ArrayData(torch.zeros(20, 8, 8), name=3))

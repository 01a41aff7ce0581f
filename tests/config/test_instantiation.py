"""What a constructor refuses is reported by the key of its config, wherever the node is and however it is made."""

from dataclasses import dataclass
from functools import partial

import pytest
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from latentlab.config.instantiation import class_at, make, make_with, refusal
from latentlab.errors import ConfigError


class Corruption:
    def __init__(self, p: float) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p: expected 0 to 1, found {p}")
        self.p = p


class Mixed:
    def __init__(self, corruptions: list[Corruption]) -> None:
        self.corruptions = corruptions


@dataclass
class Shape:
    sides: tuple[int, int]


class Network:
    def __init__(self, shape: Shape, widths: list[int], penalty: object = None) -> None:
        if min(widths) < 1:
            raise ValueError(f"widths: expected positive numbers, found {list(widths)}")
        if shape.sides[0] < 1:
            raise ValueError("shape: expected sides above 0, found 0")
        if shape.sides[1] < 1:
            raise ValueError(f"{shape.sides}: no such shape")
        if len(widths) > 5:
            raise ValueError("penalty.k: expected at most 5, found 6")
        if len(widths) > 4:
            raise ValueError("this network needs labels, the data has none")
        if len(widths) > 3:
            "".join(3)  # a bug: a TypeError inside the constructor
        self.shape = shape


def node(kind: str, **arguments: object) -> dict[str, object]:
    return {"_target_": f"{__name__}.{kind}", **arguments}


def config_of(**nodes: object) -> DictConfig:
    return OmegaConf.create(nodes)


def complaint(made: partial) -> str:
    with pytest.raises(ConfigError) as caught:
        made()
    return str(caught.value)


def test_an_argument_is_named_by_its_whole_key():
    config = config_of(model={"corruption": node("Corruption", p=2)})
    assert (
        complaint(partial(make, config, "model.corruption", Corruption))
        == "model.corruption.p: expected 0 to 1, found 2"
    )


def test_an_argument_of_a_nested_node_is_named_by_the_key_of_that_node():
    config = config_of(model=node("Network", shape=1, widths=[1], penalty=node("Corruption", p=-1)))
    expected = "model.penalty.p: expected 0 to 1, found -1"
    assert complaint(partial(make, config, "model", Network)) == expected
    assert complaint(partial(make_with, config, "model", Network, Shape((1, 1)))) == expected


def test_a_member_of_a_list_is_named_by_its_index():
    corruptions = [node("Corruption", p=0.5), node("Corruption", p=3)]
    config = config_of(model={"corruption": node("Mixed", _convert_="all", corruptions=corruptions)})
    expected = "model.corruption.corruptions.1.p: expected 0 to 1, found 3"
    assert complaint(partial(make, config, "model.corruption", Corruption)) == expected


def test_a_wrong_value_is_reported_where_it_was_written():
    config = config_of(
        net={"widths": [0], "encoder": node("Network", widths="${net.widths}", _partial_=True)},
        model={"corruption": node("Corruption", p=2), "measurement": {"corruption": "${model.corruption}"}},
    )
    made = partial(make_with, config, "net.encoder", Network, shape=Shape((1, 1)))
    assert complaint(made) == "net.widths: expected positive numbers, found [0]"
    assert complaint(partial(make, config, "model.measurement.corruption", Corruption)).startswith(
        "model.corruption.p: "
    )


@pytest.mark.parametrize(
    ("widths", "sides", "expected"),
    [
        ([1], (0, 1), "model.shape: expected sides above 0, found 0"),
        ([1], (1, 0), "model: (1, 0): no such shape"),
        ([1] * 6, (1, 1), "model.penalty.k: expected at most 5, found 6"),
        ([1] * 5, (1, 1), "model: this network needs labels, the data has none"),
    ],
)
def test_a_refusal_without_an_argument_is_named_by_the_nodes_key(widths, sides, expected):
    config = config_of(model=node("Network", widths=widths, penalty={"k": 6}))
    assert complaint(partial(make_with, config, "model", Network, Shape(sides))) == expected


def test_arguments_that_do_not_fit_are_a_mistake_in_the_config():
    config = config_of(model=node("Network", wide=[1]), net=node("Network", widths=[1]))
    assert "unexpected keyword argument 'wide'" in complaint(
        partial(make_with, config, "model", Network, Shape((1, 1)))
    )
    assert complaint(partial(make, config, "net", Network)) == "net: missing 'shape'"
    assert complaint(partial(make_with, config, "net", Network)) == "net: missing 'shape'"


def test_a_bug_in_a_constructor_is_raised_as_it_is():
    config = config_of(model=node("Network", widths=[1] * 4))
    with pytest.raises(TypeError, match="iterable"):
        make_with(config, "model", Network, Shape((1, 1)))
    nested = config_of(outer=node("Mixed", corruptions=node("Corruption", p=None)))
    with pytest.raises(InstantiationException):
        make(nested, "outer", Mixed)


def test_arguments_that_the_code_passes_arrive_unchanged():
    shape, widths = Shape((2, 3)), [1]
    made = make_with(config_of(model=node("Network")), "model", Network, shape, widths=widths)
    assert made.shape is shape


def test_the_class_of_a_node_is_found_without_making_it():
    assert class_at(config_of(model=node("Corruption", p=7)), "model", Corruption) is Corruption


def test_what_is_no_component_of_that_kind_is_refused():
    config = config_of(net=node("Corruption", p=1), data={"_target_": "builtins.dict"}, model={"_target_": "os.system"})
    assert complaint(partial(make, config, "net", Network)) == "net: expected Network, found Corruption"
    assert complaint(partial(make_with, config, "data", Network, p=1)) == "data: expected Network, found dict"
    expected = "._target_: expected a class derived from Network, found "
    assert complaint(partial(class_at, config, "model", Network)) == f"model{expected}os.system"
    assert complaint(partial(class_at, config, "net", Network)) == f"net{expected}{__name__}.Corruption"


def test_hydras_own_instantiation_errors_are_reported_too():
    with pytest.raises(InstantiationException) as caught:
        instantiate(config_of(callback=node("Corruption", p=7)).callback)
    assert refusal(caught.value) == "callback: p: expected 0 to 1, found 7"

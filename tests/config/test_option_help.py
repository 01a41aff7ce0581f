"""`--help GROUP=OPTION`: the keys of an option, with type, default and meaning."""

import re
from pathlib import Path

import pytest

from latentlab.config.command_line import loader_of
from latentlab.config.docstrings import meanings, plain, summary
from latentlab.config.help import option_text
from latentlab.config.option_files import comments_of, shown
from latentlab.config.option_help import GLOBAL, Key, option_help, primary_keys
from tests.config.command_line import answer, error_line

CONF = Path(__file__).parents[2] / "conf"
GROUPS = loader_of(None).groups
OPTIONS = [(group, name) for group, names in sorted(GROUPS.options.items()) for name in names]
OPTIONS += [("hydra/sweeper", "optuna")]
EVERY_OPTION = pytest.mark.parametrize(("group", "name"), OPTIONS, ids=[f"{group}={name}" for group, name in OPTIONS])

pytestmark = pytest.mark.usefixtures("folder")


def keys_of(group: str, name: str) -> dict[str, Key]:
    return {key.name: key for key in option_help(group, name, GROUPS).keys}


@EVERY_OPTION
def test_every_key_of_every_shipped_option_has_a_type_a_default_and_a_meaning(group, name):
    option = option_help(group, name, GROUPS)
    assert option.keys or option.summary
    assert len({key.name for key in option.keys}) == len(option.keys)
    for key in option.keys:
        assert key.name.startswith((f"{group.replace('/', '.')}.", f"{group}/"))
        assert all((key.type, key.default, key.meaning)), key
        assert "any" not in key.type.split() or key.meaning.startswith("not documented"), key
        assert not re.search(r"_target_|``|:\w+:`|Raises|see `", f"{key.type} {key.meaning}"), key


@EVERY_OPTION
def test_every_key_of_its_file_is_there(group, name):
    content = GROUPS.content(f"{group}/{name}")
    own = {key for key in content if not key.startswith("_") and key != "defaults"}
    if group not in GLOBAL:
        assert {f"{group.replace('/', '.')}.{key}" for key in own} <= keys_of(group, name).keys()


@pytest.mark.parametrize("config", ["train", "evaluate", "export", "report"])
def test_every_key_without_a_group_has_a_meaning(config):
    keys = list(primary_keys(config, GROUPS))
    assert len(keys) > 2
    assert all(key.meaning and key.type for key in keys)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@EVERY_OPTION
def test_the_text_fits_the_width(group, name, width):
    option = option_help(group, name, GROUPS)
    lines = option_text(option, width).splitlines()
    longest_word = max((len(word) for line in lines for word in line.split()), default=0)
    assert max(map(len, lines)) <= max(width, longest_word + 4)
    text = " ".join(" ".join(lines).split())
    for key in option.keys:
        assert key.name in text


def test_columns_are_aligned():
    lines = option_text(option_help("model", "vae", GROUPS), 120).splitlines()
    table = lines[lines.index("") + 1 :]
    for word, row in (("type", "int"), ("default", "20"), ("meaning", "number of latent units")):
        assert table[0].index(word) == table[1].index(row)


def test_values_come_from_the_file_and_what_it_builds_on_and_else_from_the_signature():
    keys = keys_of("trainer", "cpu_bf16")
    assert keys["trainer.precision"].default == "bf16-mixed"  # its own
    assert keys["trainer.accelerator"].default == "cpu"  # that of cpu
    assert keys["trainer.max_epochs"].default == "10"  # that of default
    assert (keys["trainer.gradient_clip_val"].default, keys["trainer.gradient_clip_val"].is_set) == ("null", False)
    assert keys["trainer.steps_per_call"].default == "25"  # Execution's
    assert "callbacks" not in {name.rpartition(".")[2] for name in keys}  # passed by the code


def test_a_key_that_the_networks_refer_to_has_their_type_and_meaning():
    keys = keys_of("net", "mlp")
    assert keys["net.widths"].type == "a list of int"
    assert "hidden layers" in keys["net.widths"].meaning
    assert "net.encoder.widths" not in keys
    assert keys["net.encoder"].type == "component"


def test_a_group_within_is_chosen_by_its_options():
    keys = keys_of("model", "cvae")
    assert keys["model/prior"].type == "one of flow, label, mixture, standard, vampprior"
    assert keys["model/prior"].default == "standard"
    assert "model.prior" not in keys
    assert not keys_of("model/prior", "label")  # its arguments are passed by the code


def test_a_component_that_is_left_out_is_null():
    assert keys_of("callbacks", "no_pictures")["callbacks.samples"].default == "null"
    assert keys_of("callbacks", "default")["callbacks.samples"].default == "Samples"


def test_a_recipe_shows_its_header_and_what_it_sets():
    text = option_text(option_help("experiment", "classic_vae", GROUPS), 120)
    assert "latentlab train experiment=classic_vae\n" in text
    assert "Sets model=vae, net=mlp, likelihood=bernoulli, trainer.max_epochs=3" in text


def test_meanings_are_inherited_and_followed():
    assert "seed" in meanings("latentlab.data.torchvision_sets.MNISTDataModule")  # see `ImageDataModule`
    assert meanings("latentlab.models.vae.VAE")["beta"].startswith("weight of the KL")  # see `KLTerm`
    assert meanings("latentlab.models.ae.AE")["latent_dim"] == "number of latent units"  # of Autoencoder
    assert meanings("torch.optim.Adam")["lr"] == "learning rate"  # assigned to __doc__
    assert meanings("torch.optim.Adam")["fused"]  # out of a text of another module
    assert meanings("no.such.thing") == {}
    assert summary("latentlab.functional.penalties.L1") == (
        "The sum of the absolute values of a rectified code, and of those before rectification of dead units"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see :class:`~torch.nn.Module` and ``x``.", "see `Module` and `x`"),
        ("learning rate (default: 1e-3)", "learning rate"),
        ("How often. Default: ``1.0``.", "How often"),
    ],
)
def test_markup_is_left_out(text, expected):
    assert plain(text) == expected


def test_comments_of_a_file():
    text = "# head\na: 1 # first\nb:\n  c: '# no' # second\n  d: [1,\n    2]\ne: 3\n"
    assert comments_of(text) == {"a": "first", "b.c": "second"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "null"), (True, "true"), ([1, "a"], "[1, a]"), ("", '""'), ("???", "required"), (1e-3, "0.001"),
     ({"_target_": "a.b.C"}, "C"), ({"x": None}, "{x: null}"), ((0.9, 0.999), "[0.9, 0.999]")],
)  # fmt: skip
def test_a_value_is_shown_as_it_is_written(value, expected):
    assert shown(value) == expected


def test_help_of_options_on_the_command_line(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    status, out, err = answer("--help", "model=vae", "optimizer.lr=1", "seed=3", "callbacks=[default,ema]")
    assert (status, err) == (0, "")
    assert [line for line in out.splitlines() if re.match(r"[\w/]+=\w+$", line)] == [
        "model=vae", "callbacks=default", "callbacks=ema"
    ]  # fmt: skip
    assert max(map(len, out.splitlines())) <= 100


def test_without_an_option_the_help_is_the_whole_one():
    assert answer("--help")[1] == answer("seed=3", "optimizer.lr=1", "hydra/launcher=joblib", "--help")[1]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("model=vea", "model: no option 'vea'; did you mean vae?"),
        ("modle=vae", "modle: no such config group; did you mean model?"),
        ("modle.beta=2", "modle.beta: no such config group"),
        ("model/prior=labels", "model/prior: no option 'labels'; did you mean label?"),
    ],
)
def test_an_unknown_option_is_answered_in_one_line(given, expected):
    assert error_line("--help", given).startswith(expected)


def test_options_of_a_folder_of_ones_own(folder, monkeypatch):
    source = 'class Thing:\n    """A thing.\n\n    size: of it, in units.\n    """\n'
    (folder / "own_thing.py").write_text(f"{source}\n    def __init__(self, size: int = 3): ...\n")
    (folder / "conf" / "model").mkdir(parents=True)
    (folder / "conf" / "model" / "thing.yaml").write_text("_target_: own_thing.Thing\n")
    monkeypatch.syspath_prepend(folder)
    _, out, _ = answer("--config-dir", "conf", "--help", "model=thing")
    assert out.startswith("model=thing\nA thing\n")
    assert re.search(r"model\.size\b.*\bint\b.*\b3\b.*of it, in units", " ".join(out.split()))

"""The contract with Hydra's private interfaces: each test names in one line what an upgrade has moved."""

import inspect
import re
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from latentlab.config import config_dir, hydra_internals
from latentlab.config.hydra_internals import ComposingLoader, Hydra, hydra_config, hydra_of, search_path
from latentlab.errors import ConfigError

PACKAGE = Path(hydra_internals.__file__).parents[1]
ADVICE = "; adapt latentlab/config/hydra_internals.py to this version of Hydra"

SIGNATURES = {
    "run": ["config_name", "task_function", "overrides"],
    "multirun": ["config_name", "task_function", "overrides"],
    "show_cfg": ["config_name", "overrides", "cfg_type", "package", "resolve"],
    "show_info": ["info", "config_name", "overrides"],
    "hydra_help": ["config_name", "args_parser", "args"],
    "shell_completion": ["config_name", "overrides"],
}


def loader():
    return ComposingLoader(search_path(config_dir(), None))


@pytest.mark.parametrize("method", SIGNATURES)
def test_hydra_runs_and_shows_with_these_arguments(method):
    expected, found = SIGNATURES[method], [*inspect.signature(getattr(Hydra, method)).parameters][1:]
    assert found[: len(expected)] == expected, f"Hydra.{method} takes {found}, not {expected}{ADVICE}"


def test_the_loader_composes_and_names_its_sources():
    names = [*inspect.signature(loader().load_configuration).parameters]
    expected = ["config_name", "overrides", "run_mode", "from_shell", "validate_sweep_overrides"]
    assert names == expected, f"ConfigLoaderImpl.load_configuration takes {names}, not {expected}{ADVICE}"
    config = loader().load_configuration("train", ["model=ae"], run_mode=RunMode.RUN)
    assert config.model._target_.endswith(".AE")
    assert config.hydra.overrides.task == ["model=ae"]
    files = [source.path for source in loader().get_sources() if source.scheme() == "file"]
    assert files == [str(config_dir())], f"the sources of ConfigLoaderImpl are {files}{ADVICE}"


def test_the_folder_of_the_command_line_comes_after_the_shipped_configs(tmp_path):
    found = [element.provider for element in search_path(config_dir(), tmp_path).get_path()]
    assert found[-3:] == ["main", "command-line", "schema"], f"the search path is {found}{ADVICE}"


def test_files_of_the_command_lines_folder_are_read_with_bounds(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "odd.yaml").write_text("a: [1,\n")
    bounded = ComposingLoader(search_path(config_dir(), tmp_path))
    with pytest.raises(ConfigError, match=r"--config-dir: .*odd\.yaml is damaged"):
        bounded.load_configuration("train", ["net=odd"], run_mode=RunMode.RUN)


def test_hydra_is_the_global_one_while_it_runs_and_not_afterwards():
    with hydra_of(loader(), "train"):
        assert GlobalHydra.instance().is_initialized()
    assert not GlobalHydra.instance().is_initialized()


def test_hydras_config_is_set_for_a_while():
    before = HydraConfig.instance().cfg
    with hydra_of(loader(), "train"):
        config = loader().load_configuration("train", [], run_mode=RunMode.RUN)
        with hydra_config(config):
            resolved = OmegaConf.create({"name": "${hydra:job.config_name}"})
            assert resolved.name == "train", f"HydraConfig.set_config no longer sets ${{hydra:...}}{ADVICE}"
    assert HydraConfig.instance().cfg is before


def test_no_other_file_imports_a_private_module_of_hydra_or_omegaconf():
    private = re.compile(r"(from|import) (hydra|omegaconf)\S*\._|\b(hydra|omegaconf)\._\w+")
    files = [file for file in PACKAGE.rglob("*.py") if private.search(file.read_text())]
    assert {file.name for file in files} == {"hydra_internals.py"}


PRIVATE_MEMBERS = r"\._(get_node|get_root|is_none|is_missing|value|set_parent|get_full_key|metadata)\b|\bitems_ex\b"


def test_no_file_uses_private_members_of_omegaconf():
    assert [file.name for file in PACKAGE.rglob("*.py") if re.search(PRIVATE_MEMBERS, file.read_text())] == []

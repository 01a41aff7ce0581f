"""`--help`, without composing a config: a template from conf/hydra/help and the list of config groups."""

from string import Template

from hydra.core.default_element import GroupDefault

from latentlab.config.keys import Groups
from latentlab.errors import ConfigError


def help_text(config_name: str, groups: Groups) -> str:
    """The template that the primary config names in its defaults (`override hydra/help: NAME`), filled in.

    Raises:
        ConfigError: no such config, or it names no template.
    """
    repository = groups.loader.repository
    primary = repository.load_config(config_name)
    defaults = [] if primary is None else primary.defaults_list or []
    named = [d.value for d in defaults if isinstance(d, GroupDefault) and d.group == "hydra/help"]
    loaded = repository.load_config(f"hydra/help/{named[0]}") if named else None
    if loaded is None:
        raise ConfigError(f"--config-name: no config {config_name!r} with a help text")
    listed = [f"{group}: {', '.join(options)}" for group, options in sorted(groups.options.items()) if options]
    template = loaded.config._get_node("template")
    return Template(str(template)).substitute(APP_CONFIG_GROUPS="\n".join(listed)).rstrip()

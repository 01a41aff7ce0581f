"""`--help`, without composing a config: a template from conf/hydra/help and the list of config groups."""

from string import Template
from textwrap import fill

from latentlab.config.keys import Groups
from latentlab.errors import ConfigError

WIDTH = 120  # characters


def help_text(config_name: str, groups: Groups) -> str:
    """The template that the primary config names in its defaults (`override hydra/help: NAME`), filled in.

    Raises:
        ConfigError: no such config, or it names no template.
    """
    name = groups.defaults(config_name).get("hydra/help")
    template = groups.content(f"hydra/help/{name}").get("template")
    if template is None:
        raise ConfigError(f"--config-name: no config {config_name!r} with a help text")
    listed = [f"{group}: {', '.join(options)}" for group, options in sorted(groups.options.items()) if options]
    wrapped = [fill(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False) for line in listed]
    return Template(template).substitute(APP_CONFIG_GROUPS="\n".join(wrapped)).rstrip()

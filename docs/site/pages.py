"""A hook of MkDocs: pages that are made from README, the configs and the package, and links out of docs/."""

import html
import inspect
import posixpath
import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import latentlab
from latentlab.config.command_line import loader_of
from latentlab.config.keys import Groups
from latentlab.config.option_help import Key, Option, option_help, primary_keys

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))  # MkDocs loads a hook by its file

from notebooks import as_markdown  # noqa: E402

NOTEBOOKS = {f"examples/{file.name}": f"tutorials/{file.stem}.md" for file in sorted(ROOT.glob("examples/*.ipynb"))}
# files beside docs/ that are pages of the site, and folders that a page describes
SHOWN = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
SHOWN |= {"examples/README.md": "tutorials/index.md", **NOTEBOOKS}
DESCRIBED = dict.fromkeys(("conf/experiment", "conf/sweep"), "reference/recipes.md")
SOURCES = {page: file for file, page in SHOWN.items()}
RECIPES, SEARCH = ("experiment", "sweep"), ("hydra/sweeper", "optuna")
COMMANDS = ("train", "evaluate", "export", "report", "explore")
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
CONTENTS = re.compile(r"(?:^- \[[^\]]+\]\(#[^)]+\).*\n){2,}\n?", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that have no file in docs/."""
    groups = loader_of(None).groups
    pages = {page: _text(ROOT / file) for file, page in SHOWN.items() if (ROOT / file).is_file()}
    pages["contributing.md"] = re.sub(r"```mermaid\n(.*?)```", _rooms, pages["contributing.md"], flags=re.DOTALL)
    pages["reference/keys.md"] = _general(groups)
    tops = sorted({group.split("/")[0] for group in groups.options} - set(RECIPES))
    for top in tops:
        within = [group for group in sorted(groups.options) if group.split("/")[0] == top]
        options = [option_help(group, name, groups) for group in within for name in _default_first(groups, group)]
        pages[f"reference/{top}.md"] = _page(top, options)
    recipes = [option_help(group, name, groups) for group in RECIPES for name in groups.options[group]]
    pages["reference/recipes.md"] = _page("Recipes", recipes)
    pages["reference/search.md"] = _page("Search", [option_help(*SEARCH, groups)])
    pages["reference/python.md"] = _python()
    for place, text in pages.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links lead to pages of the site, and to the repository for files that are none; others are left to --strict."""
    source = page.file.src_uri
    markdown = CONTENTS.sub("", markdown, count=1)  # the site has them beside each page
    folder = posixpath.dirname(SOURCES.get(source, f"docs/{source}"))

    def target(link: re.Match[str]) -> str:
        if re.match(r"[a-z]+:", link[2]):
            return link[0]
        path = posixpath.normpath(posixpath.join(folder, link[2]))
        place = (SHOWN | DESCRIBED).get(path, path.removeprefix("docs/"))
        if files.get_file_from_path(place) is not None:
            return f"{link[1]}{posixpath.relpath(place, posixpath.dirname(source) or '.')}{link[3]}"
        if not (ROOT / path).exists() or path.startswith("docs/"):
            return link[0]
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"{link[1]}{config.extra['repository']}/{kind}/main/{path}{link[3]}"

    return LINK.sub(target, markdown)


def _text(file: Path) -> str:
    return as_markdown(file.read_text()) if file.suffix == ".ipynb" else file.read_text()


def _general(groups: Groups) -> str:
    lines = [
        "# Config keys",
        "",
        "The pages of this section list the keys of every option of every config group, with type, default and",
        "meaning; `latentlab train --help model=vae` prints the same for one option. Types and defaults are those of",
        "the option's file in `conf/` and of the constructor that it names, meanings those of its docstring.",
        "",
        "The groups:",
        "",
        *(
            f"- `{group}`: {', '.join(f'`{name}`' for name in names)}"
            for group, names in sorted(groups.options.items())
        ),
        "",
    ]
    for command in COMMANDS:
        lines += [f"## Keys of `latentlab {command}`", "", *_table(list(primary_keys(command, groups))), ""]
    return "\n".join(lines)


def _page(title: str, options: list[Option]) -> str:
    lines = [f"# {title}", ""]
    defaults = {option.group: set(option.keys) for option in options if option.name == "default"}
    for option in options:
        known = defaults.get(option.group, set()) if option.name != "default" else set()
        shown = [key for key in option.keys if key not in known]
        lines += [f"## `{option.group}={option.name}`", "", *_paragraphs(option.summary)]
        lines += _table(shown) if shown else []
        lines += ["", f"Other keys as with `{option.group}=default`."] if known & set(option.keys) else []
        lines += [""]
    return "\n".join(lines)


def _default_first(groups: Groups, group: str) -> list[str]:
    return sorted(groups.options[group], key=lambda name: (name != "default", name))


def _paragraphs(summary: str) -> list[str]:
    """Sentences as they are; a command of a recipe as code."""
    lines = []
    for line in summary.splitlines():
        commands = re.split(r"   +", line)[0]
        lines += ["```bash", commands, "```", ""] if line.startswith("latentlab ") else [_escaped(line), ""]
    return lines


def _table(keys: list[Key]) -> list[str]:
    rows = [
        f"| {_code(key.name)} | {_escaped(key.type)} | {_code(key.default)} | {_escaped(key.meaning)} |" for key in keys
    ]
    head = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    return ['<div class="keys" markdown>', "", *head, *rows, "", "</div>"]


def _code(text: str) -> str:
    """A line may break within a name, after its dots and underscores."""
    shown = html.escape(text).replace("|", "&#124;").replace("*", "&#42;").replace("$", "&#36;")
    broken = re.sub(r"([._/])(?=\w)", r"\1<wbr>", shown).replace("_", "&#95;")
    return f"<code>{broken}</code>"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is, but for what is code already."""
    parts = re.split(r"(`[^`]*`)", text)
    plain = [part if part.startswith("`") else re.sub(r"([*_<>$\[\]\\])", r"\\\1", part) for part in parts]
    return "".join(plain).replace("|", r"\|")


def _python() -> str:
    lines = ["# Python interface", "", "`import latentlab as ll`; each name is imported when it is first used.", ""]
    order = ["train", "load", "evaluate", "report", "build"]
    names = sorted(latentlab.__all__, key=lambda name: (order.index(name) if name in order else len(order), name))
    for name in names:
        if name == "report":  # a package that can be called
            _, *parameters = inspect.signature(type(latentlab.report).__call__).parameters.values()
            plain = [str(parameter.replace(annotation=parameter.empty)) for parameter in parameters]
            lines += ["## report", "", "```python", f"report({', '.join(plain)})", "```", ""]
            lines += ["::: latentlab.report._Callable.__call__", "    options:", "      show_root_heading: false"]
            lines += ["      show_root_toc_entry: false", "      show_signature: false", ""]
        else:
            lines += [f"::: latentlab.{name}"]
            # what all variants can do
            lines += ["    options:", "      inherited_members: true"] if name == "Autoencoder" else []
            lines += [""]
    return "\n".join(lines)


def _rooms(diagram: re.Match[str]) -> str:
    """The diagram of the package as a list: its drawing would need a script of another server."""
    named = re.findall(r"(\w+)\[\"<b>\w+</b><br>(.*?)\"\]", diagram[1])
    arrows = dict(re.findall(r"^\s*(\w[\w &]*?) --> (.+)$", diagram[1], re.MULTILINE))
    imports = {name: to for names, to in arrows.items() for name in names.split(" & ")}
    lines = [
        f"- **{name}**: {text}" + (f"; imports {', '.join(imports[name].split(' & '))}" if name in imports else "")
        for name, text in named
    ]
    return "\n".join(lines) + "\n"

"""The text around the panels, the same for the page of the server and the one without a server."""

from collections.abc import Sequence
from importlib.resources import files

from bokeh.document import Document
from jinja2 import Environment

from latentlab.explore.latent_space import LatentSpace

TEMPLATES = files("latentlab.explore") / "templates"


def set_template(
    document: Document, spaces: Sequence[LatentSpace], sections: Sequence[str], live: bool, number: int = 0
) -> None:
    """Give a document its title and its text.

    sections: those that it has. live: whether a server decodes. number: of the run that the server's page shows.
    """
    several = f"{len(spaces)} runs"
    document.title = f"latentlab explore: {spaces[number].name if live or len(spaces) == 1 else several}"
    document.template = Environment(autoescape=False).from_string((TEMPLATES / "explore.html").read_text())
    document.template_variables.update(
        style=(TEMPLATES / "explore.css").read_text(),
        shown=sections,
        live=live,
        runs=[f"{type(space.model).__name__} {space.name}" for space in spaces],
        number=number,
    )

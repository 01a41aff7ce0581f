"""A hook of MkDocs: formulas become MathML, which browsers draw without a script."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

# what pymdownx.arithmatex makes of $...$ and $$...$$
INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
BLOCK = re.compile(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', re.DOTALL)
# a function's name before an argument without parentheses
FUNCTION = re.compile(r"(<m[io]>(?:log|tr)</m[io]>)(?!<mo[^>]*>&#x00028;)")


def on_page_content(content: str, **_: Any) -> str:
    content = INLINE.sub(lambda found: mathml(found[1], "inline"), content)
    return BLOCK.sub(lambda found: f'<div class="formula">{mathml(found[1], "block")}</div>', content)


def mathml(latex: str, display: str) -> str:
    """The formula. Raises ValueError for a command that is not known, which would be shown as it is."""
    made = convert(html.unescape(latex).strip().replace(r"\arg", r"\operatorname{arg}"), display=display)
    if unknown := re.search(r">\\\w+", made):
        raise ValueError(f"{unknown[0][1:]} in the formula {latex.strip()}: no such command")
    return FUNCTION.sub(r'\1<mspace width="0.167em" />', made)

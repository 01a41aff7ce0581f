"""Texts in quotes as Hydra's grammar reads them back, and without."""

import re


def literal(text: str) -> str:
    """A string of Hydra's grammar that comes out as `text`, whatever it holds: quotes, commas, `${`, backslashes."""
    text = re.sub(r"(\\*)\$\{", lambda found: f"{found[1] * 2}\\${{", text)
    text = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text)
    return f"'{text}'"


def bare(text: str) -> str:
    """Without the quotes around it, if there are any."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text

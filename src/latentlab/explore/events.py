"""What Bokeh calls when a property changes."""

from collections.abc import Callable


def changed(call: Callable[[], object]) -> Callable[[str, object, object], None]:
    """A callback of `on_change` that needs neither the property's name nor its values."""

    def callback(attr: str, old: object, new: object) -> None:
        call()

    return callback

"""Sliders over a number of steps, each of which has its image."""

from bokeh.models import Slider

STEP_OF = "const step_of = slider => Math.round((slider.value - slider.start) / slider.step);\n"  # JavaScript


def scrubber(title: str, low: float, high: float, value: float, steps: int, name: str) -> tuple[Slider, int]:
    """A slider at the one of `steps` values from `low` to `high` that is nearest to `value`, and which this is."""
    step = (high - low) / (steps - 1)
    number = min(max(round((value - low) / step), 0), steps - 1)
    slider = Slider(title=title, start=low, end=high, step=step, value=low + step * number, format="0.00", name=name)
    slider.sizing_mode = "stretch_width"
    return slider, number

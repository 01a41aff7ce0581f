"""`latentlab explore` in a process of its own, and its page in a browser."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.report.browser import Browser

# JavaScript conditions: the first panel of a page is shown, and all those of a server's page are
FIRST = "window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle"
ALL = f"""(() => {{
  if (!({FIRST}) || Bokeh.documents[0].roots().some(root => root.children && !root.children.length)) return false;
  const is_figure = model => model.type == "Figure";
  const views = [...Bokeh.index.query(view => is_figure(view.model))];
  const figures = [...Bokeh.documents[0]._all_models.values()].filter(is_figure);
  return views.length == figures.length && views.every(view => view.has_finished());
}})()"""
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")


class Server:
    """A running `latentlab explore`; `url` is what it printed."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "latentlab", "explore", *arguments, "open=false"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "BROWSER": "false"}
        )
        self.said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if found := ADDRESS.search(line):
                self.url = found[0]
                return
        raise AssertionError(f"ended with {self.process.wait()}: {self.said}")

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Its exit status after a signal, and all that it said."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        return self.process.returncode, self.said + rest


@contextmanager
def served(*arguments: str) -> Iterator[Server]:
    server = Server(*arguments)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


class Page:
    """The page of a server, or a file, in a browser of its own unless one is open.

    until: what is waited for whenever it shows another page.
    """

    def __init__(self, url: str | Path, width: int = 1280, browser: Browser | None = None, until: str = ALL) -> None:
        self.browser, self.until = browser or Browser(width, 900), until
        self.open(url)

    def open(self, url: str | Path) -> None:
        """Show another page instead."""
        self.browser.open(url)
        self.wait(self.until)

    def follow(self, selector: str) -> None:
        """Follow a link."""
        self.browser.run("Bokeh.documents.length = 0")
        self.browser.click(selector)
        self.wait(self.until)

    def wait(self, condition: str, seconds: float = 30) -> None:
        """Until a JavaScript condition holds."""
        deadline = time.monotonic() + seconds
        while not self.browser.run(f"(() => {{ try {{ return Boolean({condition}) }} catch {{ return false }} }})()"):
            assert time.monotonic() < deadline, f"not after {seconds} s: {condition}"
            time.sleep(0.02)

    def model(self, name: str, what: str) -> Any:
        """A property of the model of that name."""
        return self.browser.run(f"Bokeh.documents[0].get_model_by_name({json.dumps(name)}).{what}")

    def set(self, name: str, what: str, value: object) -> None:
        """Set a property as the reader's hand does."""
        self.browser.run(f"Bokeh.documents[0].get_model_by_name({json.dumps(name)}).{what} = {json.dumps(value)}; 0")

    def image(self, name: str) -> np.ndarray:
        """The colours of the image of that name, (H, W, 4) bytes, the top row first."""
        values, shape = self.browser.run(
            f"(() => {{ const a = Bokeh.documents[0].get_model_by_name({json.dumps(name)}).data.image[0];"
            " return [Array.from(a), a.shape]; })()"
        )
        return np.array(values, np.uint32).view(np.uint8).reshape(*shape, 4)[::-1]

    def screen(self, name: str, x: float, y: float) -> tuple[float, float]:
        """Where the place (x, y) of the plot that shows the data of that name is in the window, scrolled into view."""
        found = self.browser.run(
            f"""(() => {{
              const source = Bokeh.documents[0].get_model_by_name({json.dumps(name)});
              const all = [...Bokeh.index.query(v => v.model.type == "Figure")];
              const shows = v => v.model.renderers.some(r => r.data_source === source);
              const view = all.find(shows);
              view.el.scrollIntoView({{block: "center", behavior: "instant"}});
              const box = view.el.getBoundingClientRect();
              return [box.x + view.frame.x_scale.compute({x}), box.y + view.frame.y_scale.compute({y})];
            }})()"""
        )
        return found[0], found[1]

    def point(self, name: str, x: float, y: float, kind: str = "mouseMoved", buttons: int = 0) -> None:
        """Move the pointer to a place of a plot, or press or release its button there."""
        across, down = self.screen(name, x, y)
        pressed = {"button": "left", "buttons": buttons, "clickCount": 1} if kind != "mouseMoved" or buttons else {}
        self.browser.call("Input.dispatchMouseEvent", type=kind, x=across, y=down, **pressed)

    def click(self, name: str, x: float, y: float) -> None:
        for kind, buttons in (("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)):
            self.point(name, x, y, kind, buttons)

    def draw(self, name: str, *places: tuple[float, float]) -> None:
        """A stroke of the pointer."""
        self.point(name, *places[0], "mousePressed", 1)
        for place in places:
            self.point(name, *place, "mouseMoved", 1)
        self.point(name, *places[-1], "mouseReleased")

    def close(self) -> None:
        self.browser.close()

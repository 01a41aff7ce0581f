"""The local server of the page: this machine alone, until Ctrl-C."""

import logging
import signal
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import final

from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from bokeh.document import Document
from bokeh.server.server import Server
from bokeh.server.urls import per_app_patterns
from bokeh.server.views.ws import WSHandler
from tornado.ioloop import IOLoop

from latentlab.errors import UserError

HOST = "127.0.0.1"
LARGEST_FILE = 100 * 2**20  # bytes of a message, such as that of an image file: one that is larger ends the connection

log = logging.getLogger(__name__)


@final
class PromptWSHandler(WSHandler):
    """Bokeh's handler of a connection, with every part of a message sent at once.

    It writes a message in several small parts; by Nagle's algorithm all but the first wait until the browser has
    acknowledged that one, for which it takes its time: 40 ms, longer than decoding and drawing together.
    """

    def open(self) -> None:
        """Called by Tornado when the browser has connected."""
        self.set_nodelay(True)
        super().open()


def serve(fill: Callable[[Document], object], port: int, open_browser: bool) -> None:
    """Serve documents that `fill` fills until the loop of the thread is stopped; a page from elsewhere may not connect.

    port: 0 for a free one. open_browser: show the page in the browser, where there is one.

    Raises:
        UserError: the port is taken.
    """
    per_app_patterns[:] = [(path, PromptWSHandler if own is WSHandler else own) for path, own in per_app_patterns]
    application = Application(FunctionHandler(fill))
    try:
        server = Server({"/": application}, port=port, address=HOST, websocket_max_message_size=LARGEST_FILE)
    except OSError as error:
        raise UserError(f"port: {port} cannot be listened on ({error.strerror}); choose another, or port=0") from error
    server.start()
    url = f"http://{HOST}:{server.port}/"
    log.info("%s  (Ctrl-C ends it)", url)
    if open_browser:  # by a thread, as a browser in the terminal returns only when it is closed
        Thread(target=_open, args=(url,), daemon=True).start()
    try:
        server.io_loop.start()
        log.info("ended")
    finally:
        server.stop()


@contextmanager
def ended_between_messages() -> Iterator[None]:
    """Let Ctrl-C end `serve` in the main thread, between two messages; a second one does not wait."""
    loop, before = IOLoop.current(), signal.getsignal(signal.SIGINT)

    def end(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        loop.add_callback_from_signal(loop.stop)

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _open(url: str) -> None:
    if not webbrowser.open(url):
        log.info("no browser was found: open the address in one")

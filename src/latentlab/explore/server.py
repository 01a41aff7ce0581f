"""The local server of the page: this machine alone, until Ctrl-C."""

import logging
import webbrowser
from collections.abc import Callable

from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from bokeh.document import Document
from bokeh.server.server import Server

from latentlab.errors import UserError

HOST = "127.0.0.1"

log = logging.getLogger(__name__)


def serve(fill: Callable[[Document], object], port: int, open_browser: bool) -> None:
    """Serve documents that `fill` fills until Ctrl-C; a page from elsewhere may not connect.

    port: 0 for a free one. open_browser: show the page in the browser, where there is one.

    Raises:
        UserError: the port is taken.
    """
    application = Application(FunctionHandler(fill))
    try:
        server = Server({"/": application}, port=port, address=HOST)
    except OSError as error:
        raise UserError(f"port: {port} cannot be listened on ({error.strerror}); choose another, or port=0") from error
    server.start()
    url = f"http://{HOST}:{server.port}/"
    log.info("%s  (Ctrl-C ends it)", url)
    if open_browser:
        server.io_loop.add_callback(_open, url)
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        log.info("ended")
    finally:
        server.stop()


def _open(url: str) -> None:
    if not webbrowser.open(url):
        log.info("no browser was found: open the address in one")

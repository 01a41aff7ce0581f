"""The server's connection, which Bokeh leaves as the operating system has it."""

import asyncio
import gc
import socket
from threading import Thread

from bokeh.client import pull_session
from bokeh.document import Document
from bokeh.models import Div

from latentlab.explore.server import HOST, PromptWSHandler, serve


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        port: int = unused.getsockname()[1]
        return port


def filled(document: Document) -> None:
    document.add_root(Div(text="shown"))


def test_the_parts_of_a_message_do_not_wait_for_one_another():
    """A contract with Bokeh and Tornado: connections are made by our handler, and Nagle's algorithm is off."""
    port, loop = free_port(), asyncio.new_event_loop()

    def run() -> None:
        asyncio.set_event_loop(loop)
        serve(filled, port, open_browser=False)

    thread = Thread(target=run, daemon=True)
    thread.start()
    session = connected(port)
    try:
        [handler] = [one for one in gc.get_objects() if isinstance(one, PromptWSHandler)]
        assert handler.ws_connection.stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    finally:
        session.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)


def connected(port: int):
    for _ in range(200):
        try:
            return pull_session(url=f"http://{HOST}:{port}/")
        except OSError:
            continue
    raise AssertionError("no connection")

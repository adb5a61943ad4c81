"""A web server in a process of its own, on the database of the test, that can be killed at any moment."""

import http.client
import os
import signal
import socket
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connections
from django.db.backends.signals import connection_created
from django.test import Client

from trial.audit.middleware import current_request

MARK = "c" * 32  # of the form against forgery, in the cookie and in what is sent


class QuietHandler(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class Server:
    """Serves until it is killed. It is a copy of the test's process, so it is there at once.

    With `dies_before` it kills itself before that statement of a save, counted from 1: a moment that no clock finds.
    """

    def __init__(self, dies_before: int | None = None) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        connections.close_all()  # a connection must not be shared with a copy
        self.process = os.fork()
        if self.process == 0:
            try:
                if dies_before is not None:
                    connection_created.connect(DiesBefore(dies_before).watch, weak=False)
                serve(listening)
            finally:
                os._exit(1)  # nothing of the test's process may be tidied up by its copy
        listening.close()

    def kill(self) -> None:
        """End it at once, whatever it is doing, unless it ended itself."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        _, status = os.waitpid(self.process, 0)
        assert os.WIFSIGNALED(status), "the server ended by itself"


class DiesBefore:
    """Counts the statements of requests that save a form, and ends the process before one of them."""

    def __init__(self, number: int) -> None:
        self.left = number

    def watch(self, connection: Any, **kwargs: Any) -> None:
        """Count what is run on a new connection."""
        connection.execute_wrappers.append(self.count)

    def count(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        request = current_request.get()
        if request is not None and request.method == "POST" and not request.path.endswith("/draft/"):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)


def serve(listening: socket.socket) -> None:
    """Answer for ever, each request in a thread of its own."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.server_address = listening.getsockname()
    server.server_name, server.server_port = listening.getsockname()[:2]
    server.setup_environ()
    server.set_app(WSGIHandler())
    server.serve_forever()


class Desk:
    """Somebody who is signed in, with a browser that knows no more than to send forms."""

    def __init__(self, person: User) -> None:
        signed_in = Client()
        signed_in.force_login(person)
        signed_in.get("/")  # what a first answer imports is in the copies then
        self.cookies = f"marrow-sid={signed_in.cookies['marrow-sid'].value}; marrow-csrf={MARK}"

    def send(self, port: int, path: str, typed: dict[str, str]) -> int | None:
        """Send a form. The status of the answer; None where the server was gone before it answered."""
        body = urlencode({"csrfmiddlewaretoken": MARK, **typed})
        headers = {"Cookie": self.cookies, "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        except (http.client.HTTPException, OSError):
            return None
        finally:
            connection.close()

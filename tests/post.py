"""A real mail server on this machine, for the letters that Marrow sends. A pytest plugin."""

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from django.test import override_settings

from trial import environment


class Box(Message):
    """The mail server: keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[EmailMessage] = []

    def prepare_message(self, session, envelope) -> EmailMessage:
        return message_from_bytes(envelope.content, policy=policy.default)

    def handle_message(self, message: Any) -> None:
        self.letters.append(message)


@pytest.fixture
def box() -> Iterator[Box]:
    """A mail server on this machine, and Marrow told of it as an operator tells it."""
    handler = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARROW_MAIL", f"smtp://127.0.0.1:{port}")
        mail = environment.read_mail("MARROW_MAIL")
    with override_settings(HAS_MAIL=True, EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", **mail):
        yield handler
    server.stop()

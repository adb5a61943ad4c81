"""How a line of the log looks: one event a line, ids only. Never a patient's value, never what somebody typed.

Django's own lines about a request quote its address, its host and the exception's words, where data can be; ours name the
page, the kind of exception and the number of the request, under which the answer and the trail have it too.
"""

import logging
import re
import traceback
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest

# The words of these speak of the program and its machine. Those of any other exception may quote a row.
WORDS_WITHOUT_DATA = (ImproperlyConfigured, ImportError, InterfaceError, OperationalError)
OUR_CODE = re.compile(r"marrow\.[A-Z]\d{3}")


class OneLine(logging.Formatter):
    """A formatter whose lines hold one event each, whatever is in the message."""

    def format(self, record: logging.LogRecord) -> str:
        request: Any = getattr(record, "request", None)
        said = about(request, record) if isinstance(request, HttpRequest) else record.getMessage()
        number = getattr(request, "marrow_request_id", "") or number_of_this_request()
        parts = [self.formatTime(record), record.levelname, record.name, said]
        parts += [f"request={number}"] if number else []
        if record.exc_info and record.exc_info[1] is not None:
            is_refusal = record.levelno < logging.ERROR  # of what was asked: where in the program says nothing about it
            parts.append(kind(record.exc_info[1]) if is_refusal else trace(record.exc_info[1]))
        return visible(" ".join(parts))


def number_of_this_request() -> str:
    """The number of the request that is being answered; empty when there is none, or before the program has started."""
    if not apps.models_ready:
        return ""
    from trial.audit.recording import request_number  # logging is set up before models can be imported

    return request_number()


def about(request: HttpRequest, record: logging.LogRecord) -> str:
    """A request by its method, the name of its page and the status of the answer."""
    match = request.resolver_match
    page = match.url_name if match and match.url_name else "-"
    return f"{getattr(record, 'status_code', '-')} {request.method} {page}"


def trace(error: BaseException) -> str:
    """The kinds of the exception and of those behind it, with the places in the code, on one line."""
    told = []
    behind: BaseException | None = error
    while behind is not None:
        frames = traceback.extract_tb(behind.__traceback__)
        places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        told.append(f"{kind(behind)} at {places}" if places else kind(behind))
        behind = behind.__cause__ or (None if behind.__suppress_context__ else behind.__context__)
    return " because of ".join(told)


def kind(error: BaseException) -> str:
    """The exception's type, with its words where they hold no data, else with our own code where it has one."""
    name = type(error).__name__
    if isinstance(error, WORDS_WITHOUT_DATA):
        return f"{name}({error})"
    code = OUR_CODE.search(str(error))
    return f"{name}({code[0]})" if code else name


def visible(text: str) -> str:
    """The text with every character that could end a line, move a cursor or turn the direction written out as an escape."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )

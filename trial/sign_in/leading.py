"""Who can be led to another page, and where they go on afterwards."""

from typing import Any

from django.http import HttpRequest

from trial.error_pages import came_from


def is_background(request: HttpRequest) -> bool:
    """Whether a script or a part of a page asks: nobody would see the page that it is led to."""
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode:
        return mode != "navigate"
    return "HX-Request" in request.headers or request.headers.get("X-Requested-With") == "XMLHttpRequest"


def way_back(request: Any) -> str:
    """Where a person goes on who was led away: this page, or the page on which the form was that they sent."""
    is_read = request.method in {"GET", "HEAD"}
    return str(request.get_full_path() if is_read or "Referer" not in request.headers else came_from(request))

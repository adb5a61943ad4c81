"""A page that does not say who may open it stops the start (marrow.E001)."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.urls import URLPattern, URLResolver, get_resolver

Route = URLPattern | URLResolver


def pages(routes: Sequence[Route] | None = None) -> Iterator[URLPattern]:
    """Every page of the site, in the order of the addresses."""
    for route in get_resolver().url_patterns if routes is None else routes:
        if isinstance(route, URLResolver):
            yield from pages(route.url_patterns)
        else:
            yield route


def says_who_may_open_it(page: URLPattern) -> bool:
    """Whether the view, or the class that it was made from, declares a permission; None is open to everybody."""
    view: Any = page.callback
    made_from = getattr(view, "view_class", None) or getattr(view, "cls", None)
    return hasattr(view, "permission") or hasattr(made_from, "permission")


@register(Tags.security)
def check_that_pages_say_who_may_open_them(
    app_configs: Sequence[AppConfig] | None = None, routes: Sequence[Route] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """One error for each page without `@requires(...)` or `@open_to_everybody`."""
    return [
        Error(
            f"The page '{page.name or page.pattern}' does not say who may open it.",
            hint="Put @requires(Permission....) on the view, or @open_to_everybody.",
            id="marrow.E001",
        )
        for page in pages(routes)
        if not says_who_may_open_it(page)
    ]

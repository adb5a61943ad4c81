"""The name of a browser, as people know it."""

from django import template

register = template.Library()

# In this order: each browser also names those that it wants to be taken for.
BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@register.filter
def browser(said: str) -> str:
    """`Firefox on Linux`, from what the browser says of itself; what is not known is said as it is."""
    name = next((name for sign, name in BROWSERS.items() if sign in said), None)
    system = next((system for sign, system in SYSTEMS.items() if sign in said), None)
    if name and system:
        return f"{name} on {system}"
    return said or "not said"

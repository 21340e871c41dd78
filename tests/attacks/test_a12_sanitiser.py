"""A12, stored XSS: whatever staff type, the HTML holds no tag and no attribute that is not on the list."""

from urllib.parse import urlsplit

import pytest
from lxml import html

from dispatcher.announcements.text import ATTRIBUTES, SCHEMES, TAGS, TextRefused, body_html, plain_text

MARKUP = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script/x>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    "<img src=`x` onerror=alert(1)>",
    '<img src="x" onerror="alert(1)"//',
    "<image src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)//",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><foreignObject><iframe onload=alert(1)></foreignObject></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<math href=javascript:alert(1)>x</math>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<p id='</title><script>alert(1)</script>'>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "]]><script>alert(1)</script>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<!DOCTYPE x [<!ENTITY e 'x'>]>&e;",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<applet code=x></applet>",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<style>@import '//evil.example/x.css'</style>",
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<p style='position:fixed;inset:0'>x</p>",
    "<p onclick=alert(1)>x</p>",
    "<body onload=alert(1)>",
    "<html onmouseover=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src onloadstart=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<form action=javascript:alert(1)><input type=submit>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java&#x09;script:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href=data:text/html,<script>alert(1)</script>>x</a>",
    "<a href=https://a.nl target=_blank onclick=alert(1)>x</a>",
    "<a name=x id=y class=z>x</a>",
    "<template><script>alert(1)</script></template>",
    "<x onclick=alert(1)>x</x>",
    "<custom-element onconnected=alert(1)>",
    "<\x00script>alert(1)</script>",
    "<%73cript>alert(1)</script>",
    "\u003cscript\u003ealert(1)\u003c/script\u003e",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "{{7*7}} {% import os %} ${7*7} #{7*7}",
    "<xmp><script>alert(1)</script></xmp>",
    "<plaintext><script>alert(1)</script>",
    "<listing>&lt;script&gt;alert(1)&lt;/script&gt;</listing>",
    "<table background=javascript:alert(1)><td background=javascript:alert(1)>",
    "<dialog open onclose=alert(1)>",
    "<slot name=x onslotchange=alert(1)>",
]
ADDRESSES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "java&#x0A;script:alert(1)",
    "java&Tab;script:alert(1)",
    "&#x6A;avascript:alert(1)",
    "&#106&#97&#118&#97script:alert(1)",
    "\x01javascript:alert(1)",
    "%6Aavascript:alert(1)",
    "javascript&colon;alert(1)",
    "javascript:alert&lpar;1&rpar;",
    "javascript://losser.nl/%0Aalert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "file:///etc/passwd",
    "blob:https://a.nl/x",
    "view-source:javascript:alert(1)",
    "feed:javascript:alert(1)",
    "//evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://losser.nl@evil.example",
    "https://losser.nl\\@evil.example",
    'https://a.nl/"onmouseover=alert(1)',
    "https://a.nl/'onmouseover=alert(1)",
    "https://a.nl/<script>alert(1)</script>",
    "https://a.nl/`onmouseover=alert(1)",
    "mailto:a@b.nl?body=<script>alert(1)</script>",
    'tel:+31"onclick=alert(1)',
    "ws://a.nl",
]
FRAMES = {
    "text": "{}",
    "heading": "## {}",
    "list": "- een\n- {}",
    "quote": "> {}",
    "cell": "| a | b |\n| --- | --- |\n| {} | x |",
    "code": "`{}`",
    "label": "[{}](https://a.nl)",
}
LINKS = {
    "link": "[klik]({})",
    "angle": "[klik](<{}>)",
    "title": '[klik](https://a.nl "{}")',
    "auto": "<{}>",
    "bare": "zie {} dus",
    "reference": "[klik][r]\n\n[r]: {}",
    "image": "![klik]({})",
}
CORPUS = [frame.format(payload) for frame in FRAMES.values() for payload in MARKUP] + [
    frame.format(address) for frame in LINKS.values() for address in ADDRESSES
]


def test_the_corpus_is_large_enough() -> None:
    assert len(set(CORPUS)) >= 200


def _check(source: str) -> None:
    document = body_html(source, "nl")
    root = html.fragment_fromstring(document)
    assert (root.tag, dict(root.attrib)) == ("div", {"lang": "nl", "dir": "ltr"}), source
    for element in root.iterdescendants():
        assert isinstance(element.tag, str), source  # no comment, no processing instruction
        assert element.tag in TAGS, source
        allowed = ATTRIBUTES.get(element.tag, set())
        assert set(element.attrib) <= allowed, source
        if address := element.get("href"):
            parts = urlsplit(address)
            assert parts.scheme in SCHEMES, source
            assert parts.scheme in ("mailto", "tel") or (parts.hostname and "@" not in parts.netloc), source


@pytest.mark.parametrize("frame", [*FRAMES, *LINKS])
def test_a12_only_listed_tags_and_attributes_come_out(frame: str) -> None:
    sources = [FRAMES[frame].format(payload) for payload in MARKUP] if frame in FRAMES else []
    sources += [LINKS[frame].format(address) for address in ADDRESSES] if frame in LINKS else []
    refused = 0
    for source in sources:
        try:
            _check(source)
        except TextRefused:  # a picture that would be shown
            assert frame == "image"
            refused += 1
    assert refused < len(sources)


@pytest.mark.parametrize(
    "payload", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{7*7}}", "</title>"]
)
def test_a12_the_payload_is_shown_as_the_text_it_is(payload: str) -> None:
    assert html.fragment_fromstring(body_html(payload, "nl")).text_content().strip() == payload
    assert plain_text(payload) == payload

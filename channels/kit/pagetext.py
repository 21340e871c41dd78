"""The plain text of a page: what a reader reads, so that two pages that read the same compare equal."""

from __future__ import annotations

import re

from lxml import etree, html

# fmt: off
_PARAGRAPHS = frozenset((
    "address", "article", "aside", "blockquote", "div", "dl", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
    "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul",
))
# fmt: on
_LINES = frozenset(("br", "dd", "dt", "figcaption", "tr"))
_CELLS = frozenset({"td", "th"})
_UNREAD = frozenset(("head", "math", "noscript", "object", "script", "style", "svg", "template", "title"))
_DESCRIPTIONS = frozenset({"og:description", "og:title", "description", "twitter:description"})
_BULLET = "\0"  # no HTML text can hold it
_SPACES = re.compile(r"[ \t\n\r\f]+")
_AROUND_BREAK = re.compile(r" *\n *")
_AFTER_BULLET = re.compile(rf"{_BULLET}\s*")
_GAP = re.compile(r"\n{3,}")


def page_text(page: str | bytes, element: str) -> str | None:
    """The text of the element whose id is ``element``, or ``None`` where the page has none.

    Blocks stand on lines of their own with an empty line between paragraphs, list items begin with "- ", a picture
    is its alternative text, and a link is followed by where it leads unless it already reads so. Never raises for the
    sake of bad HTML.
    """
    found = _element(page, element)
    return None if found is None else _text(found)


def link_target(page: str | bytes, element: str) -> str | None:
    """Where the link whose id is ``element`` leads, or ``None`` where the page has none."""
    found = _element(page, element)
    return None if found is None else found.get("href")


def whole_page_text(page: bytes) -> str:
    """All that a page says to a stranger: its text, and before it what it says of itself to who links to it.

    For pages that are not ours. Networks show a post in scripts, and its words in the page's description.
    """
    root = _root(page)
    if root is None:
        return ""
    said = [
        node.get("content") or ""
        for node in root.iter("meta")
        if (node.get("property") or node.get("name") or "").lower() in _DESCRIPTIONS
    ]
    return "\n\n".join([*dict.fromkeys(said), _text(root)]).strip()


def _element(page: str | bytes, name: str) -> html.HtmlElement | None:
    root = _root(page.encode("utf-8", "replace") if isinstance(page, str) else page)
    return None if root is None else next((node for node in root.iter("*") if node.get("id") == name), None)


def _root(source: bytes) -> html.HtmlElement | None:
    try:
        return html.document_fromstring(source, parser=html.HTMLParser(encoding="utf-8"))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _text(root: html.HtmlElement) -> str:
    pieces: list[str] = []
    unread = 0
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            unread += tag in _UNREAD
            if not unread:
                pieces.append(_before(node, tag) + _SPACES.sub(" ", node.text or ""))
        elif event == "end":
            if not unread:
                pieces.append(_after(node, tag))
            unread -= tag in _UNREAD
        if event != "start" and node is not root and not unread:
            pieces.append(_SPACES.sub(" ", node.tail or ""))
    text = _AROUND_BREAK.sub("\n", re.sub(r" +", " ", "".join(pieces)))
    return _GAP.sub("\n\n", _AFTER_BULLET.sub("- ", text)).strip()


def _before(node: html.HtmlElement, tag: str) -> str:
    if tag == "img":
        return node.get("alt") or ""
    if tag == "li":
        return f"\n{_BULLET}"
    return "\n\n" if tag in _PARAGRAPHS else "\n" if tag in _LINES else ""


def _after(node: html.HtmlElement, tag: str) -> str:
    if tag == "a":
        target = (node.get("href") or "").strip()
        reads = _SPACES.sub(" ", node.text_content()).strip()
        if target and not target.startswith("#") and _bare(target) != _bare(reads):
            return f" ({target})"
    if tag in _CELLS:
        return " "
    return "\n\n" if tag in _PARAGRAPHS else ""


def _bare(address: str) -> str:
    """An address without what a reader leaves out: scheme, "www.", a slash at the end, spaces in a number."""
    bare = re.sub(r"^(?:https?://|mailto:|tel:)?(?:www\.)?", "", address, flags=re.I).rstrip("/")
    return re.sub(r"[\s()-]", "", bare).lower()

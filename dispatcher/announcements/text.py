"""Markdown in; safe HTML and plain text out, both from the same parse, so that they say the same.

Raw HTML is not part of the language: it stands there as the text it is. Links lead to http(s), mail or phone only.
Everything ends within a second for any body inside the limits; a text outside them is refused before the work.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from dispatcher.announcements.links import EMAIL, URL, is_link, url_end, with_scheme

BODY_LIMIT = 50_000  # characters
LINK_LIMIT = 50
NESTING_LIMIT = 20  # levels of tokens: ten lists inside each other
TABLE_LIMIT = 20  # columns
BRACKET_LIMIT = 1_000  # "[": each may begin a link, and the parser looks ahead for all of them

TAGS = {
    *("p", "br", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "strong", "em", "a"),
    *("code", "pre", "hr", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES: dict[str, set[str]] = {"a": {"href"}, "ol": {"start"}, "*": set()}  # "*": the library allows title, lang
SCHEMES = {"http", "https", "mailto", "tel"}
_RIGHT_TO_LEFT = {"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}


class TextRefused(ValueError):
    """A body goes beyond what can be shown everywhere. ``what`` says how, ``remedy`` what to do about it.

    ``code`` is the same in one word: long, brackets, picture, links, nested, table.
    """

    def __init__(self, code: str, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.code = code
        self.what = what
        self.remedy = remedy


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return is_link(url)


def _linkify(state: StateCore) -> None:
    """Bare web and mail addresses become links, except inside a link."""
    for block in state.tokens:
        if block.type != "inline" or not block.children:
            continue
        inside = 0
        children: list[Token] = []
        for token in block.children:
            inside += (token.type == "link_open") - (token.type == "link_close")
            children.extend([token] if inside or token.type != "text" else _linked(token, state.md))
        block.children = children


def _linked(token: Token, md: MarkdownIt) -> Iterator[Token]:
    text, done = token.content, 0
    for start, end, href in addresses_in(text):
        url = md.normalizeLink(href)
        if not md.validateLink(url):
            continue
        if start > done:
            yield Token("text", "", 0, content=text[done:start], level=token.level)
        yield Token("link_open", "a", 1, attrs={"href": url}, level=token.level)
        yield Token("text", "", 0, content=text[start:end], level=token.level + 1)
        yield Token("link_close", "a", -1, level=token.level)
        done = end
    if done < len(text):
        yield Token("text", "", 0, content=text[done:], level=token.level)


def addresses_in(text: str) -> list[tuple[int, int, str]]:
    """Start, end and target of every bare web or mail address in ``text``, in order, none inside another."""
    found = [(m.start(), url_end(text, m.start(), m.end())) for m in URL.finditer(text)]
    links = [(start, end, with_scheme(text[start:end])) for start, end in found]
    taken = {place for start, end, _ in links for place in range(start, end)}
    mails = [(m.start(), m.end(), f"mailto:{m.group()}") for m in EMAIL.finditer(text) if m.start() not in taken]
    return sorted(links + mails)


def _lower_headings(state: StateCore) -> None:
    """The page's title is its only ``h1``."""
    for token in state.tokens:
        if token.tag == "h1":
            token.tag = "h2"


def _parser() -> MarkdownIt:
    # The parser drops what lies deeper than its own limit, so that one is twice ours: nothing is dropped unseen.
    md = _Markdown("commonmark", {"html": False, "maxNesting": 2 * NESTING_LIMIT}).enable("table")
    md.core.ruler.push("addresses", _linkify)
    md.core.ruler.push("lower_headings", _lower_headings)
    return md


_MARKDOWN = _parser()


@lru_cache(maxsize=8)  # HTML, plain text and facts of one body are asked for one after the other
def parse(source: str) -> tuple[Token, ...]:
    """The tokens of a Markdown body.

    Raises:
        TextRefused: the body is too long, nested too deep, has too many links, brackets or columns, or an image.
    """
    if len(source) > BODY_LIMIT:
        raise TextRefused(
            "long",
            f"The text is {len(source) - BODY_LIMIT:,} characters too long ({len(source):,} of {BODY_LIMIT:,}).",
            "Shorten it, or put part of it on a page of its own and link to that.",
        )
    if (brackets := source.count("[")) > BRACKET_LIMIT:
        raise TextRefused(
            "brackets",
            f"The text has {brackets:,} square brackets, more than {BRACKET_LIMIT:,}.",
            "Use round brackets.",
        )
    tokens = tuple(_MARKDOWN.parse(source))
    _check_bounds(tokens)
    return tokens


def count_links(tokens: Sequence[Token]) -> int:
    """How many links a parsed body has, bare addresses included."""
    return sum(child.type == "link_open" for token in tokens for child in token.children or ())


def _check_bounds(tokens: Sequence[Token]) -> None:
    if any(child.type == "image" for token in tokens for child in token.children or ()):
        raise TextRefused(
            "picture", "There is a picture in the text.", "Use the field `image`, with its `alt`, or a link."
        )
    if (links := count_links(tokens)) > LINK_LIMIT:
        raise TextRefused("links", f"The text has {links} links, more than {LINK_LIMIT}.", "Keep the most useful ones.")
    if any(token.level >= NESTING_LIMIT for token in tokens):
        raise TextRefused("nested", "Lists or quotes are nested too deep.", "Use at most a list within a list.")
    columns = 0
    for token in tokens:
        columns = 0 if token.type == "tr_open" else columns + (token.type in ("th_open", "td_open"))
        if columns > TABLE_LIMIT:
            raise TextRefused(
                "table", f"A table has more than {TABLE_LIMIT} columns.", "Use a list, or a smaller table."
            )


def body_html(source: str, language: str) -> str:
    """The body as safe HTML: one ``div`` with its language and direction, so that it can stand among others.

    Headings begin at ``h2``, under the page's own title.

    Raises:
        TextRefused: see ``parse``.
    """
    inner = nh3.clean(
        _MARKDOWN.renderer.render(parse(source), _MARKDOWN.options, {}),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel=None,
    )
    direction = "rtl" if language.split("-", 1)[0] in _RIGHT_TO_LEFT else "ltr"
    return f'<div lang="{html.escape(language)}" dir="{direction}">\n{inner.strip()}\n</div>'


def plain_text(source: str) -> str:
    """The body as plain text that reads well by itself: ``- `` before list items, ``label (url)`` for links.

    A table becomes a list with one line a row, each cell after its column's name: lines up in any font, and a screen
    reader says it in an order that can be followed.

    Raises:
        TextRefused: see ``parse``.
    """
    root = SyntaxTreeNode(parse(source))
    return _joined(root.children, "\n\n")


def _joined(nodes: Sequence[SyntaxTreeNode], between: str) -> str:
    return between.join(text for text in map(_block, nodes) if text)


def _block(node: SyntaxTreeNode) -> str:
    return _BLOCKS[node.type](node)


def _paragraph(node: SyntaxTreeNode) -> str:
    return _inline(node.children[0].children) if node.children else ""


def _list(node: SyntaxTreeNode) -> str:
    if node.type == "bullet_list":
        return "\n".join(_item(item, "- ") for item in node.children)
    numbered = enumerate(node.children, int(node.attrs.get("start", 1)))
    return "\n".join(_item(item, f"{number}. ") for number, item in numbered)


def _quote(node: SyntaxTreeNode) -> str:
    return _marked(_joined(node.children, "\n\n"), "> ", "> ")


def _code(node: SyntaxTreeNode) -> str:
    return node.content.strip("\n").rstrip()


def _rule(_node: SyntaxTreeNode) -> str:
    return "* * *"


def _item(item: SyntaxTreeNode, mark: str) -> str:
    tight = all(child.hidden or child.type != "paragraph" for child in item.children)
    return _marked(_joined(item.children, "\n" if tight else "\n\n"), mark, " " * len(mark))


def _marked(text: str, first: str, others: str) -> str:
    """``text`` with ``first`` before its first line and ``others`` before the rest; no line ends in a space."""
    return "\n".join(((others if i else first) + line).rstrip() for i, line in enumerate(text.split("\n")))


def _table(table: SyntaxTreeNode) -> str:
    rows = [
        [_inline(cell.children[0].children) if cell.children else "" for cell in row.children]
        for part in table.children
        for row in part.children
    ]
    names, *data = rows
    if not data:
        return "; ".join(filter(None, names))
    return "\n".join(
        "- " + "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=False) if cell)
        for row in data
        if any(row)
    )


_BLOCKS: dict[str, Callable[[SyntaxTreeNode], str]] = {
    "paragraph": _paragraph,
    "heading": _paragraph,
    "bullet_list": _list,
    "ordered_list": _list,
    "blockquote": _quote,
    "code_block": _code,
    "fence": _code,
    "hr": _rule,
    "table": _table,
}


def _inline(nodes: Sequence[SyntaxTreeNode]) -> str:
    return "".join(map(_inline_node, nodes)).strip()


def _inline_node(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text":
            return re.sub(" {2,}", " ", node.content)  # as a browser shows it
        case "code_inline":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "link":
            return _link(_inline(node.children), str(node.attrs.get("href", "")))
    return "".join(map(_inline_node, node.children))


def _link(label: str, url: str) -> str:
    target = url.removeprefix("mailto:").removeprefix("tel:")
    if not label:
        return target
    if _bare(label) == _bare(target) or (url.startswith("tel:") and any(map(str.isdigit, label))):
        return label
    return f"{label} ({target})"


def _bare(address: str) -> str:
    """What two ways of writing one address have in common: no scheme, no closing slash, no spaces in a number."""
    bare = address.lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    return "".join(bare.split()).replace("-", "")

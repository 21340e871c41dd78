"""How a post is counted and shown: Mastodon's rules, as far as plain posts need them."""

from __future__ import annotations

from html import escape

import regex

MAX_CHARACTERS = 500
URL_CHARACTERS = 23
_URL = regex.compile(r"(?i)(?<![\w@/=])https?://[^\s<>\"]*[^\s<>\".,;:!?)\]}'’”]")
_SCHEME = regex.compile(r"(?i)^https?://(?:www\.)?")
_HASHTAG = regex.compile(r"(?<![=/)\p{Alnum}])[#＃]([\w·]*[\p{L}_·][\w·]*)")
_MENTION = regex.compile(r"(?<![=/\w])@(\w[\w.-]*\w|\w)(?:@[\w.-]+\w)?")
_SHOWN = 30  # characters of an address that are seen


def length(text: str) -> int:
    """Graphemes, each web address counted as 23."""
    urls = _URL.findall(text)
    return len(regex.findall(r"\X", _URL.sub("", text))) + URL_CHARACTERS * len(urls)


def as_html(text: str, base: str) -> str:
    """The text as the API and pages give it: paragraphs, line breaks, links, mentions, hashtags. Safe to insert."""
    paragraphs = regex.split(r"\n{2,}", text.strip().replace("\r\n", "\n"))
    return "".join(f"<p>{_line_breaks(paragraph, base)}</p>" for paragraph in paragraphs if paragraph)


def _line_breaks(paragraph: str, base: str) -> str:
    return "<br />".join(_linked(line, base) for line in paragraph.split("\n"))


def _linked(line: str, base: str) -> str:
    pieces, at = [], 0
    for match in _URL.finditer(line):
        pieces += [_tagged(line[at : match.start()], base), _link(match.group())]
        at = match.end()
    return "".join([*pieces, _tagged(line[at:], base)])


def _link(url: str) -> str:
    rest = _SCHEME.sub("", url)
    scheme = url.removesuffix(rest)
    seen, unseen = rest[:_SHOWN], rest[_SHOWN:]
    ellipsis = ' class="ellipsis"' if unseen else ""
    return (
        f'<a href="{escape(url)}" target="_blank" rel="nofollow noopener" translate="no">'
        f'<span class="invisible">{escape(scheme)}</span><span{ellipsis}>{escape(seen)}</span>'
        f'<span class="invisible">{escape(unseen)}</span></a>'
    )


def _tagged(text: str, base: str) -> str:
    escaped = escape(text, quote=False)
    tagged = _HASHTAG.sub(lambda m: _anchor(f"{base}/tags/{m[1]}", "hashtag", m[0]), escaped)
    return _MENTION.sub(lambda m: _anchor(f"{base}/@{m[1]}", "u-url mention", m[0]), tagged)


def _anchor(href: str, kind: str, text: str) -> str:
    return f'<a href="{href}" class="{kind}">{text}</a>'

"""What keeps the words of staff from becoming more than words in a post."""

from __future__ import annotations

import regex

_URL = regex.compile(r"(?i)https?://[^\s<>\"]+")
_SIGN = regex.compile(r"(?<![\w=/])([@＠#＃])(?=[\w·])")
_JOINER = "\u2060"  # word joiner: unseen, breaks no line, and no part of a name or a tag


def without_tags(text: str) -> str:
    """``text`` in which ``@name`` and ``#tag`` call nobody and lead nowhere, and read as they did.

    A word joiner comes after the sign; ``kit.facts`` does not see it, and a far side gives it back. Web and e-mail
    addresses stay as they are.
    """
    pieces, at = [], 0
    for match in _URL.finditer(text):
        pieces += [_SIGN.sub(rf"\1{_JOINER}", text[at : match.start()]), match.group()]
        at = match.end()
    return "".join([*pieces, _SIGN.sub(rf"\1{_JOINER}", text[at:])])

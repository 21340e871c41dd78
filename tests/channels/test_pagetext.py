"""The text of a page: equal for pages that read the same, different for pages that do not."""

from __future__ import annotations

import pytest

from channels.kit.pagetext import link_target, page_text


def text(inner: str) -> str | None:
    return page_text(f"<body><nav>menu</nav><article id=here>{inner}</article>after</body>", "here")


@pytest.mark.parametrize(
    ("inner", "reads"),
    [
        ("<h1>Een</h1><p>Twee  drie\n vier</p>", "Een\n\nTwee drie vier"),
        ("<ul><li>een</li>\n<li>twee</li></ul><p>na</p>", "- een\n- twee\n\nna"),
        ("<ul><li><p>los</p></li></ul>", "- los"),
        ("een<br>twee", "een\ntwee"),
        ('Bel <a href="tel:0530000000">053 000 00 00</a>.', "Bel 053 000 00 00."),
        ('<a href="https://losser.example/a/">losser.example/a</a>', "losser.example/a"),
        ('<a href="https://losser.example/b">losser.example/a</a>', "losser.example/a (https://losser.example/b)"),
        ('<a href="#deel">verder</a>', "verder"),
        ('<img src="x" alt="De balie">', "De balie"),
        ("<p>a<script>b</script><style>c</style><svg><title>d</title></svg><!-- e -->f</p>", "af"),
        ("<table><tr><th>dag<td>tijd<tr><td>ma<td>9.00</table>", "dag tijd\nma 9.00"),
        ("10 &lt; 12 &amp; 5", "10 < 12 & 5"),
        ("a<span class=fact>b</span>c", "abc"),
        ("één – “twee”\u00a0drie", "één – “twee”\u00a0drie"),
    ],
)
def test_a_page_reads(inner: str, reads: str) -> None:
    assert text(inner) == reads


def test_a_page_without_the_element_has_no_text() -> None:
    assert page_text("<p>nothing</p>", "here") is None
    assert page_text(b"", "here") is None
    assert page_text(b"\x00\xff\xfe<", "here") is None
    assert link_target("<a id=moved href=x>y</a>", "moved") == "x"
    assert link_target("<p>", "moved") is None


def test_bad_html_is_read_and_not_complained_of() -> None:
    assert text("<p><b>a<i>b</b>c" + "<div>" * 5000 + "deep") is not None
    assert page_text("<article id=here>" + "x" * 1_000_000, "here") == "x" * 1_000_000

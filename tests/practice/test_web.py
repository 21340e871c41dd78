"""The pages and the control interface of the practice town, over HTTP."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP

import httpx
import lxml.html
import pytest

from tests.support.practice import Practice
from tests.support.raw_smtp import RawSmtp

PAGES = ["/mailbox", "/addresses", "/faults", "/message/0", "/nowhere"]


@pytest.fixture(scope="module")
def _town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A town in which 120 messages arrived; the last is the only one with markup in its subject."""
    with Practice(tmp_path_factory.mktemp("web")) as practice:
        with smtplib.SMTP("localhost", practice.smtp_port) as client:
            for number in range(119):
                client.send_message(letter(number, "De balie is dicht"))
            client.send_message(letter(119, "Let op: <b>nieuw</b> & anders"))
        yield practice


@pytest.fixture
def town(_town: Practice) -> Iterator[Practice]:
    _town.clear()
    yield _town


def letter(number: int, subject: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = "Gemeente Losser <berichten@practice.invalid>", f"resident-{number:04}@practice.invalid"
    mail["Subject"], mail["Message-ID"] = subject, f"<web-{number}@practice.invalid>"
    mail["List-Id"] = "<losser.practice.invalid>"
    mail.set_content("Dag\n\nKijk op https://losser.example/corona voor meer.\n<script>alert(1)</script>\n")
    mail.add_alternative(
        '<html><head><title>x</title></head><body><p>Dag</p><script>alert(1)</script><a href="/x">x</a></body></html>',
        subtype="html",
    )
    mail["Content-Language"] = "en" if number % 2 else "nl, en"  # of the whole: set earlier it would go with a part
    return mail


def read(practice: Practice, path: str, **parameters: str | int) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(practice.get(path, **parameters).content)


def all_of(page: lxml.html.HtmlElement, path: str) -> list[lxml.html.HtmlElement]:
    """The elements that an XPath finds."""
    return list(page.xpath(path))


def text(page: lxml.html.HtmlElement) -> str:
    return " ".join(str(page.text_content()).split())


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_marked_in_the_language_of_its_reader(town: Practice, path: str) -> None:
    dutch, english = read(town, path), read(town, path, lang="en")

    assert dutch.get("lang") == "nl" and english.get("lang") == "en"
    assert "wat u hier ziet, is een voorbeeld en niet van de gemeente" in text(
        all_of(dutch, "//p[@class='practice']")[0]
    )
    assert "is an example and not from the municipality" in text(all_of(english, "//p[@class='practice']")[0])
    assert all_of(dutch, "//a[@lang='en']")[0].get("href") == "?lang=en"


def test_the_language_once_chosen_stays(town: Practice) -> None:
    with httpx.Client(base_url=town.url, trust_env=False) as client:
        client.get("/mailbox", params={"lang": "en"})
        assert "Mailbox" in client.get("/mailbox").text
        assert '<html lang="en"' in client.get("/addresses").text


@pytest.mark.parametrize("path", PAGES)
def test_pages_need_no_script_and_allow_none(town: Practice, path: str) -> None:
    answer = town.get(path)

    assert "script" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = lxml.html.document_fromstring(answer.content)
    assert not all_of(page, "//script | //*[@style or @onclick]")
    assert len(all_of(page, "//h1")) == 1


def test_the_mailbox_shows_the_newest_first_and_turns_pages(town: Practice) -> None:
    first, third = read(town, "/mailbox"), read(town, "/mailbox", page=3)

    assert "120 berichten" in text(first)
    titles = [text(title) for title in all_of(first, "//tbody//th/a")]
    assert titles[:2] == ["Let op: <b>nieuw</b> & anders", "De balie is dicht"]
    assert (len(titles), len(all_of(third, "//tbody/tr"))) == (50, 20)
    assert "Bladzijde 3 van 3" in text(third)
    assert all_of(third, "//a[@rel='prev']")[0].get("href") == "/mailbox?page=2"
    assert not all_of(third, "//a[@rel='next']")


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"q": "RESIDENT-0007"}, 1),
        ({"q": "anders"}, 1),
        ({"to": "resident-0007@practice.invalid"}, 1),
        ({"q": "x y"}, 0),
    ],
)
def test_the_mailbox_can_be_searched(town: Practice, parameters: dict[str, str], found: int) -> None:
    page = read(town, "/mailbox", **parameters)

    assert len(all_of(page, "//tbody/tr")) == found
    assert ("1 bericht" if found else "0 berichten") in text(page)
    assert all_of(page, "//input[@name='q']")[0].get("value") == parameters.get("q", "")


def test_the_addresses_are_listed_with_their_mail(town: Practice) -> None:
    page = read(town, "/addresses", q="resident-0007")

    assert [text(cell) for cell in all_of(page, "//tbody/tr/*")] == [
        "resident-0007@practice.invalid",
        "1",
        "De balie is dicht",
    ]


def test_a_message_is_shown_as_its_reader_sees_it(town: Practice) -> None:
    page = read(town, "/message/7")

    assert text(all_of(page, "//h1")[0]) == "De balie is dicht"
    (frame,) = all_of(page, "//iframe")
    assert frame.get("src") == "/message/7/html"
    assert "allow-scripts" not in frame.get("sandbox") and "allow-same-origin" not in frame.get("sandbox")
    (plain,) = all_of(page, "//pre")
    assert "<script>alert(1)</script>" in text(plain)
    assert [link.get("href") for link in all_of(plain, ".//a")] == ["https://losser.example/corona"]
    assert "<losser.practice.invalid>" in text(all_of(page, "//dl[contains(@class, 'headers')]")[0])


def test_a_message_is_read_out_in_its_own_language(town: Practice) -> None:
    english, unclear = read(town, "/message/7"), read(town, "/message/8")

    assert [part.get("lang") for part in all_of(english, "//h1 | //pre")] == ["en", "en"]
    assert [part.get("lang") for part in all_of(unclear, "//h1 | //pre")] == [None, None]


def test_the_html_of_a_message_can_run_nothing_and_load_nothing(town: Practice) -> None:
    answer = town.get("/message/7/html")
    policy = answer.headers["content-security-policy"]

    assert "default-src 'none'" in policy and "sandbox allow-popups" in policy
    assert "script-src" not in policy and "allow-scripts" not in policy
    assert '<head><base target="_blank">' in answer.text
    assert "<p>Dag</p>" in answer.text


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: x\r\nContent-Type: text/plain; charset=nonsense\r\n\r\nDag \xff\r\n",
        b"Subject: x\r\nContent-Type: multipart/alternative; boundary=nowhere\r\n\r\nDag\r\n",
        b"no headers at all\r\n",
        b"Subject: x\r\nFrom: \xff\xfe<>,,\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%\r\n",
        b"",
    ],
)
def test_a_message_that_makes_no_sense_is_shown_as_far_as_it_goes(practice: Practice, content: bytes) -> None:
    with RawSmtp(practice.smtp_port) as client:
        client.say(b"MAIL FROM:<a@b.invalid>\r\nRCPT TO:<c@d.invalid>\r\nDATA\r\n")
        client.replies(3)
        client.say(content + b".\r\n")
        assert client.reply().startswith(b"250 ")
    number = practice.get("/mail.json", limit=1).json()["messages"][0]["number"]

    assert practice.get(f"/message/{number}").status_code == 200
    assert practice.get(f"/message/{number}/html").status_code == 200


def test_programs_can_ask_what_was_taken(town: Practice) -> None:
    answer = town.get("/mail.json", q="balie", limit=2, offset=1).json()
    assert answer["count"] == 119
    assert [message["key"] for message in answer["messages"]] == ["web-117", "web-116"]

    assert town.get("/mail.json", key="web-3").json()["messages"][0]["recipient"] == "resident-0003@practice.invalid"
    assert town.get("/mail.json", by="subject", q="balie").json() == {
        "count": 119,
        "by_subject": {"De balie is dicht": 119},
    }
    assert len(town.get("/mail.json", by="recipient").json()["by_recipient"]) == 120
    assert town.get("/mail.json", by="weather").status_code == 400
    assert town.get("/mail.json", limit="many").status_code == 400


def test_health_says_what_it_took_and_where(town: Practice) -> None:
    ports = {f"{peer}_port": port for peer, port in town.ports.items()}
    assert town.get("/health").json() == {
        "status": "ok",
        "smtp_port": town.smtp_port,
        **ports,
        "taken": 120,
        "keeps": True,
    }


def test_a_fault_is_switched_on_and_off_by_forms_alone(town: Practice) -> None:
    page = read(town, "/faults")
    (form,) = all_of(page, "//form[@id='preset-unknown-address']")
    fields = {field.get("name"): field.get("value") for field in all_of(form, ".//input")}
    assert fields["match"] == "resident-00?7@practice.invalid"

    assert town.post("/faults", **{**fields, "match": "*-0001@*", "times": ""}).status_code == 303

    (fault,) = town.state()["faults"]
    assert (fault["match"], fault["times"], fault["code"]) == ("*-0001@*", None, 550)
    assert "Adres bestaat niet" in text(all_of(read(town, "/faults"), "//ul[@class='list']")[0])
    assert "De mailserver heeft nu een storing" in text(read(town, "/mailbox"))

    (off,) = all_of(read(town, "/faults"), "//form[@action='/faults/off']")
    town.post(off.get("action"), number=all_of(off, ".//input")[0].get("value"))
    assert town.state()["faults"] == []


def test_a_wrong_number_is_explained_and_what_was_typed_stays(town: Practice) -> None:
    answer = town.post("/faults", preset="slow", seconds="heel veel", after="0", times="")

    page = lxml.html.document_fromstring(answer.content)
    assert answer.status_code == 422
    assert "Seconden: vul een getal in dat kan" in text(all_of(page, "//*[@role='alert']")[0])
    assert all_of(page, "//*[@id='slow-seconds']")[0].get("value") == "heel veel"
    assert all_of(page, "//*[@id='preset-slow']//details[@open]")


def test_the_control_interface_says_what_is_wrong(town: Practice) -> None:
    answer = httpx.put(f"{town.url}/faults/mail", json=[{"kind": "slow"}, {"preset": "x"}], trust_env=False)
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == "seconds: Field required"
    assert "there is no 'x'" in answer.json()["errors"][1]

    assert httpx.put(f"{town.url}/faults/mail", content=b"{", trust_env=False).status_code == 400
    assert httpx.delete(f"{town.url}/faults/mail/999", trust_env=False).status_code == 404
    assert httpx.put(f"{town.url}/health", trust_env=False).status_code == 405
    large = httpx.put(f"{town.url}/faults/mail", content=b" " * 300_000, trust_env=False)
    assert large.status_code == 413


def test_faults_can_be_added_and_taken_away_one_by_one(town: Practice) -> None:
    url = f"{town.url}/faults/mail"
    httpx.post(url, json={"preset": "slow"}, trust_env=False)
    state = httpx.post(url, json={"preset": "greylist"}, trust_env=False).json()
    assert [fault["kind"] for fault in state["faults"]] == ["slow", "greylist"]

    number = state["faults"][0]["number"]
    assert [f["kind"] for f in httpx.delete(f"{url}/{number}", trust_env=False).json()["faults"]] == ["greylist"]
    assert "unknown-address" in state["presets"] if "presets" in state else town.state()["presets"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example:80"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({}, 303),
    ],
)
def test_a_strange_page_cannot_switch_faults(town: Practice, headers: dict[str, str], status: int) -> None:
    answer = httpx.post(f"{town.url}/faults", data={"preset": "slow"}, headers=headers, trust_env=False)

    assert answer.status_code == status
    assert bool(town.state()["faults"]) == (status == 303)


def test_a_strange_name_for_this_machine_reads_no_mail(town: Practice) -> None:
    assert httpx.get(town.url, headers={"Host": "evil.example"}, trust_env=False).status_code == 403


def test_files_outside_the_assets_are_not_served(practice: Practice) -> None:
    for path in ("/assets/../words.py", "/assets/%2e%2e/%2e%2e/words.py", "/assets/", "/assets//etc/passwd"):
        with RawSmtp(practice.said["web_port"], greet=False) as client:
            client.say(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert b"404" in client.rest().splitlines()[0]


def test_the_assets_of_a_folder_are_served_and_used(tmp_path_factory: pytest.TempPathFactory) -> None:
    assets = tmp_path_factory.mktemp("assets")
    (assets / "omroeper-9.css").write_text("body { margin: 0 }")
    with Practice(tmp_path_factory.mktemp("town"), "--assets", str(assets)) as practice:
        answer = practice.get("/assets/omroeper-9.css")
        assert (answer.text, answer.headers["content-type"]) == ("body { margin: 0 }", "text/css")
        assert '<link rel="stylesheet" href="/assets/omroeper-9.css">' in practice.get("/mailbox").text
        assert practice.get("/practice.css").headers["content-type"].startswith("text/css")


def test_an_empty_mailbox_says_what_to_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Practice(tmp_path_factory.mktemp("empty")) as practice:
        assert "Er is nog geen mail" in text(read(practice, "/mailbox"))
        assert "Er is nog geen mail" in text(read(practice, "/addresses"))
        assert httpx.head(practice.url, trust_env=False).content == b""

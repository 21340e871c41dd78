"""The page of hand tasks: the text to copy, the form to tick off, and what becomes of a task that was overtaken."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from dispatcher.announcements.models import Announcement
from dispatcher.dispatching import handwork
from dispatcher.dispatching.models import Delivery
from dispatcher.staff.roles import Role
from tests.support.scene import Scene, check_counters
from tests.support.signed_in import client_of

POST = "https://www.facebook.com/losser/posts/1"
PAGE = "/console/hand/?lang=en"


@pytest.fixture
def announced(scene: Scene) -> Announcement:
    """An announcement with an open hand task in Dutch."""
    scene.website()
    scene.by_hand(languages=["nl"], values={"page_url": "https://www.facebook.com/losser"})
    announcement = scene.announced()
    scene.work()
    return announcement


@pytest.fixture
def writer(db: None) -> Client:
    return client_of(Role.WRITER)


def number() -> int:
    (task,) = handwork.open_tasks()
    return task.id


def seen(client: Client, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_stranger_is_sent_to_the_door(client: Client, announced: Announcement) -> None:
    assert client.get(PAGE).status_code == 303
    assert client.post(f"/console/hand/{number()}/done/").status_code == 403
    assert number(), "nothing was ticked off"


def test_the_text_is_there_to_copy_with_all_that_goes_with_it(writer: Client, announced: Announcement) -> None:
    page = seen(writer)
    (task,) = handwork.open_tasks()
    found = re.search(r"<textarea[^>]* readonly[^>]*>\n(.*?)</textarea>", page, re.S)
    assert found
    assert found[1] == task.text
    assert "Post on Facebook as Gemeente Losser" in page
    assert 'href="https://www.facebook.com/losser"' in page
    assert "Plaats op Facebook als Gemeente Losser" in seen(writer, "/console/hand/?lang=nl")


def test_without_tasks_it_says_so(writer: Client) -> None:
    assert "Nothing waits for a person." in seen(writer)


def test_ticked_off_with_its_address_and_opened_again(writer: Client, announced: Announcement) -> None:
    task = number()
    answer = writer.post(f"/console/hand/{task}/done/?lang=en", {"url": POST}, follow=True)
    page = answer.content.decode()
    assert "Ticked off." in page
    assert f'href="{POST}"' in page
    assert Delivery.objects.get(pk=task).url == POST
    page = writer.post(f"/console/hand/{task}/undo/?lang=en", follow=True).content.decode()
    assert "The task is open again." in page
    assert number() == task
    check_counters()


def test_a_wrong_address_stands_at_its_field_with_what_was_typed(writer: Client, announced: Announcement) -> None:
    task = number()
    answer = writer.post(f"/console/hand/{task}/done/?lang=en", {"url": "facebook.com/<losser>"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="facebook.com/&lt;losser&gt;"' in page
    assert f'aria-describedby="url-{task}-hint url-{task}-problem" aria-invalid="true"' in page
    assert f'<a href="#url-{task}">' in page
    assert number() == task


@pytest.mark.parametrize(("act", "words"), [("correct", "a correction took its place"), ("withdraw", "was withdrawn")])
def test_what_was_overtaken_meanwhile_is_not_ticked_off(
    writer: Client, announced: Announcement, scene: Scene, act: str, words: str
) -> None:
    task = number()
    _ = scene.corrected(announced) if act == "correct" else scene.withdrawn(announced)
    scene.work()
    answer = writer.post(f"/console/hand/{task}/done/?lang=en", {"url": POST})
    assert answer.status_code == 409
    assert words in answer.content.decode()
    assert Delivery.objects.get(pk=task).state == "skipped"


def test_a_correction_and_a_withdrawal_say_what_to_do_and_where(
    writer: Client, announced: Announcement, scene: Scene
) -> None:
    writer.post(f"/console/hand/{number()}/done/", {"url": POST})
    scene.corrected(announced)
    scene.work()
    page = seen(writer)
    assert "Change the post on Facebook" in page
    assert f'href="{POST}"' in page
    writer.post(f"/console/hand/{number()}/done/")
    scene.withdrawn(announced)
    scene.work()
    page = seen(writer)
    assert "Remove the post on Facebook" in page
    assert f'href="{POST}"' in page


def test_an_administrator_may_look_and_not_tick_off(announced: Announcement) -> None:
    administrator = client_of(Role.ADMINISTRATOR)
    page = seen(administrator)
    assert "ticks this off" in page
    assert 'name="url"' not in page
    assert administrator.post(f"/console/hand/{number()}/done/").status_code == 403
    assert number()


@pytest.mark.parametrize("path", ["/console/hand/0/done/", "/console/hand/999999/undo/"])
def test_a_task_that_is_none_is_not_found(writer: Client, path: str) -> None:
    assert writer.post(path).status_code == 404


def test_the_follow_page_says_that_a_person_has_to_do_it(writer: Client, announced: Announcement) -> None:
    page = seen(writer, f"/console/follow/{announced.dispatches.get().key}/?lang=en")
    assert "waits for a person" in page
    assert "Get the text and tick it off" in page
    assert "We try again" not in page

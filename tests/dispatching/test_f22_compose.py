"""F22: a template or a language that breaks: one outlet stands still and says where, the others go, repair sends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, FileSystemLoader

from channels.kit import templates
from dispatcher.acts import outlets
from dispatcher.dispatching.models import Delivery, Dispatch
from dispatcher.dispatching.readiness import PAGE_PATIENCE
from dispatcher.dispatching.recompose import StillBroken
from tests.support.scene import Scene, check_counters, later, states

Break = Callable[[str, str], Callable[[], None]]

BROKEN = {
    "unknown name": ("<p>{{ text.title }}</p>\n<p>{{ text.no_such_thing }}</p>\n", "line 2", "UndefinedError"),
    "syntax": ("<p>{{ text.title }}</p>\n\n{% if text %}<p>\n", "line 3", "TemplateSyntaxError"),
    "one language": ("{{ text.title }}\n{{ text.nothing if language == 'en' else '' }}\n", "line 2", "UndefinedError"),
}


@pytest.fixture
def break_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Break:
    """Puts another template in the place of ours, as a mistake in a file does; what it gives takes it away again."""

    def put(name: str, content: str) -> Callable[[], None]:
        file = tmp_path / "templates" / name
        file.parent.mkdir(parents=True)
        file.write_text(content)
        environment = templates.environment()
        ours = environment.loader
        assert ours is not None
        monkeypatch.setattr(environment, "loader", ChoiceLoader([FileSystemLoader(tmp_path / "templates"), ours]))
        return lambda: monkeypatch.setattr(environment, "loader", ours)

    return put


def details(dispatch: Dispatch, outlet: str) -> set[str]:
    return set(Delivery.objects.filter(dispatch=dispatch, outlet__name=outlet).values_list("detail", flat=True))


@pytest.mark.parametrize("how", BROKEN)
def test_f22_a_broken_template_stops_one_outlet_and_says_where(scene: Scene, break_template: Break, how: str) -> None:
    content, line, kind = BROKEN[how]
    scene.website()
    mail = scene.email()
    scene.people(3), scene.people(2, language="en")
    repair = break_template("email/body.html", content)
    dispatch = scene.planned()
    scene.work()
    assert states(dispatch, "website") == {"accepted": 2}
    assert states(dispatch) == {"rejected": 5}
    assert {reason for (reason,) in Delivery.objects.filter(outlet=mail).values_list("reason")} == {"compose"}
    for detail in details(dispatch, "email"):
        assert detail.startswith(f"email/body.html, {line}: {kind}"), detail
    assert not scene.received()
    check_counters()

    with pytest.raises(StillBroken, match=line):
        outlets.try_again(mail, by="admin", reason="compose")
    assert states(dispatch) == {"rejected": 5}
    repair()
    assert outlets.try_again(mail, by="admin", reason="compose") == 5
    check_counters()
    assert outlets.try_again(mail, by="admin", reason="compose") == 0
    scene.work()
    assert states(dispatch) == {"accepted": 5}
    assert set(scene.received().values()) == {1}
    check_counters()


def test_f22_others_wait_a_while_for_a_page_that_failed_and_then_go(scene: Scene, break_template: Break) -> None:
    scene.website(), scene.email()
    scene.people(3)
    break_template("website/announcement.html", "{{ nothing_of_this_name }}")
    dispatch = scene.planned()
    scene.work()
    assert states(dispatch, "website") == {"rejected": 2}
    assert states(dispatch) == {"due": 3}, "there is time to repair the page"
    assert not scene.received()
    later(PAGE_PATIENCE + 1)
    scene.work()
    assert states(dispatch) == {"accepted": 3}
    check_counters()


def test_f22_once_the_page_is_repaired_all_goes_on(scene: Scene, break_template: Break) -> None:
    website = scene.website()
    scene.email(), scene.people(3)
    repair = break_template("website/announcement.html", "{{ nothing_of_this_name }}")
    dispatch = scene.planned()
    scene.work()
    repair()
    assert outlets.try_again(website, by="admin", reason="compose") == 2
    scene.work()
    assert states(dispatch, "website") == {"accepted": 2}
    assert states(dispatch) == {"accepted": 3}
    check_counters()


def test_f22_a_correction_reaches_those_for_whom_no_copy_could_be_made(scene: Scene, break_template: Break) -> None:
    mail = scene.email()
    people = scene.people(3)
    repair = break_template("email/body.html", "{{ nothing_of_this_name }}")
    announcement = scene.announced()
    scene.plan(announcement.dispatches.get())
    scene.work()
    repair()
    update = scene.corrected(announcement)
    scene.work()
    assert states(update) == {"accepted": 3}
    assert [scene.subjects(person) for person in people] == [["Gemeentehuis op afspraak: tweede"]] * 3
    assert outlets.try_again(mail, by="admin", reason="compose") == 0, "the old text goes out no more"
    check_counters()


def test_f22_an_outlet_without_the_language_has_nothing_to_do_and_holds_nobody_up(scene: Scene) -> None:
    scene.website(), scene.email(), scene.email(name="english", languages=["en"], position=3)
    scene.people(3)
    dispatch = scene.planned(languages=("nl",))
    scene.work()
    assert states(dispatch) == {"accepted": 3}
    assert states(dispatch, "website") == {"accepted": 1}
    assert states(dispatch, "english") == {}

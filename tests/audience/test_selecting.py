"""Who hears an announcement: the query, its explanation, and its counts agree."""

from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispatcher.announcements.models import Announcement, Kind
from dispatcher.audience.models import Address, AddressState, Subscriber
from dispatcher.audience.selecting import WhyNot, counts, recipients, recipients_sql, why_not

pytestmark = pytest.mark.django_db


def about(**fields: Any) -> Announcement:
    return Announcement(**({"kind": Kind.NEWS, "audience": ["resident"], "topics": [], "districts": []} | fields))


def select(
    announcement: Announcement,
    groups: list[str] | None = None,
    languages: tuple[str, ...] = ("nl", "en"),
    channel: str = "email",
) -> dict[str, str]:
    """Names of those who hear, with the language in which they do."""
    sql, params = recipients_sql(announcement, channel, groups, languages, "nl")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT q.address_id, q.language FROM ({sql}) q", params)
        rows = cursor.fetchall()
    assert len(rows) == len({row[0] for row in rows})
    values = dict(Address.objects.values_list("pk", "value"))
    return {values[pk].partition("@")[0]: language for pk, language in rows}


def test_topics_are_those_chosen_one_is_enough_and_two_are_no_more(small_town: Any) -> None:
    small_town.add("both", topics=["events", "roads"])
    small_town.add("one", topics=["events"])
    small_town.add("other", topics=["roads"])
    small_town.add("none")
    assert set(select(about(topics=["events", "roads"]))) == {"both", "one", "other"}
    assert set(select(about(topics=["events"]))) == {"both", "one"}
    assert set(select(about())) == {"both", "one", "other", "none"}
    assert select(about(topics=["gone"])) == {}


def test_districts_are_ones_own_or_the_whole_town(small_town: Any) -> None:
    small_town.add("glane", district="glane")
    small_town.add("losser", district="losser")
    small_town.add("everywhere")
    assert set(select(about(districts=["glane"]))) == {"glane", "everywhere"}
    assert set(select(about(districts=["glane", "losser"]))) == {"glane", "losser", "everywhere"}
    assert set(select(about())) == {"glane", "losser", "everywhere"}
    assert set(select(about(districts=["gone"]))) == {"everywhere"}


def test_an_emergency_is_for_everyone_in_its_districts(small_town: Any) -> None:
    small_town.add("interested", topics=["roads"], district="glane")
    small_town.add("not-interested", topics=["events"], district="glane")
    small_town.add("elsewhere", topics=["roads"], district="losser")
    small_town.add("colleague", group="colleague")
    emergency = about(kind=Kind.EMERGENCY, topics=["roads"], districts=["glane"])
    assert set(select(emergency)) == {"interested", "not-interested"}


def test_groups_narrow_the_audience_and_never_widen_it(small_town: Any) -> None:
    for group in ("resident", "entrepreneur", "partner", "colleague"):
        small_town.add(group, group=group)
    announcement = about(audience=["resident", "colleague"])
    assert set(select(announcement)) == {"resident", "colleague"}
    assert set(select(announcement, ["colleague", "partner"])) == {"colleague"}
    assert select(announcement, ["partner"]) == {}
    assert select(announcement, []) == {}
    assert select(about(audience=[])) == {}


def test_only_active_addresses_of_the_channel(small_town: Any) -> None:
    for state in AddressState:
        small_town.add(state.value, state=state)
    small_town.add("browser", channel="webpush")
    assert set(select(about())) == {"active"}
    assert set(select(about(), channel="webpush")) == {"browser"}


def test_language_is_ones_own_where_it_is_offered(small_town: Any) -> None:
    for language in ("nl", "en", "pl"):
        small_town.add(language, language=language)
    assert select(about()) == {"nl": "nl", "en": "en", "pl": "nl"}
    assert select(about(), languages=("pl",)) == {"nl": "nl", "en": "nl", "pl": "pl"}
    assert select(about(), languages=()) == {"nl": "nl", "en": "nl", "pl": "nl"}


def test_one_person_with_two_addresses_hears_on_both(small_town: Any) -> None:
    first = small_town.add("first", topics=["events", "roads"])
    Address.objects.create(
        subscriber=first.subscriber, channel="email", value="second@practice.invalid", state=AddressState.ACTIVE
    )
    assert set(select(about(topics=["events", "roads"]))) == {"first", "second"}


def test_columns_in_an_insert_select(small_town: Any) -> None:
    address = small_town.add("a", district="glane", topics=["events"], language="en")
    sql, params = recipients_sql(about(topics=["events"]), "email", ["resident"], ["nl", "en"], "nl")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE chosen (address bigint, language text, district bigint, grp text, n bigint)"
        )
        cursor.execute(
            f"""INSERT INTO chosen SELECT q.address_id, q.language, q.district_id, q.group_name,
                row_number() OVER (ORDER BY q.address_id) FROM ({sql}) q WHERE %s = %s""",
            [*params, 1, 1],
        )
        cursor.execute("SELECT * FROM chosen")
        rows = cursor.fetchall()
        cursor.execute("DROP TABLE chosen")
    assert rows == [(address.pk, "en", small_town.districts["glane"].pk, "resident", 1)]


def test_it_is_one_query_however_many_people(small_town: Any) -> None:
    for number in range(20):
        small_town.add(f"a{number}", topics=["events"])
    with CaptureQueriesContext(connection) as queries:
        sql, params = recipients_sql(about(topics=["events"], districts=["glane"]), "email", None, ["nl"], "nl")
    assert len(queries) == 0
    assert sql.count("%s") == len(params)


@pytest.fixture
def everyone(small_town: Any) -> list[Address]:
    """A person of every kind."""
    kinds = product(
        ("resident", "colleague"), ((), ("events",), ("events", "roads")), ("", "glane", "losser"), AddressState
    )
    return [
        small_town.add(f"p{number}", group=group, topics=topics, district=district, state=state)
        for number, (group, topics, district, state) in enumerate(kinds)
    ]


AIMS = [
    about(kind=kind, audience=audience, topics=topics, districts=districts)
    for kind in (Kind.NEWS, Kind.EMERGENCY)
    for audience in (["resident"], ["resident", "colleague"], [])
    for topics in ([], ["roads"], ["events", "roads"])
    for districts in ([], ["glane"])
]


def test_the_query_the_reasons_and_the_counts_agree(everyone: list[Address]) -> None:
    for aim in AIMS:
        hear = set(recipients(aim).values_list("pk", flat=True))
        assert {address.pk for address in everyone if not why_not(address, aim)} == hear
        counted = counts(aim)
        assert counted.total == len(hear)
        for by in (counted.by_channel, counted.by_group, counted.by_district, counted.by_language):
            assert sum(by.values()) == len(hear)


def test_says_every_reason_in_words(small_town: Any) -> None:
    address = small_town.add("a", group="partner", district="losser", state=AddressState.LEFT)
    reasons = why_not(address, about(topics=["events"], districts=["glane"]))
    assert reasons == (WhyNot.LEFT, WhyNot.GROUP, WhyNot.TOPIC, WhyNot.DISTRICT)
    for reason in WhyNot:
        assert reason.sentence("nl").endswith(".")
        assert reason.sentence("nl") != reason.sentence("en")


def test_a_subscriber_hears_with_one_active_address(small_town: Any) -> None:
    address = small_town.add("a", state=AddressState.LEFT)
    subscriber: Subscriber = address.subscriber
    assert why_not(subscriber, about()) == (WhyNot.LEFT,)
    Address.objects.create(subscriber=subscriber, channel="webpush", value="x", state=AddressState.ACTIVE)
    assert why_not(subscriber, about()) == ()
    nobody = Subscriber.objects.create(group="resident", language="nl")
    assert why_not(nobody, about()) == (WhyNot.NO_ADDRESS,)


def test_counts_by_what_people_are(small_town: Any) -> None:
    small_town.add("a", district="glane", language="en")
    small_town.add("b", channel="webpush")
    small_town.add("c", group="colleague")
    counted = counts(about(audience=["resident", "colleague"]))
    assert counted.by_channel == {"email": 2, "webpush": 1}
    assert counted.by_group == {"colleague": 1, "resident": 2}
    assert counted.by_district == {"": 2, "glane": 1}
    assert counted.by_language == {"en": 1, "nl": 2}

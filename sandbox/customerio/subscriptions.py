"""What the people of the simulated workspace want to receive, and on which channels they want nothing."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from sandbox.customerio.history import DAY, Row
from sandbox.customerio.paging import Pages
from sandbox.customerio.people import Person
from sandbox.customerio.resources import ChildList, ChildRecord, PlainList, Resource

_OPTOUT_PAGES = Pages[Row]("opt", default=100, maximum=1000)
_CHANNELS: tuple[Row, ...] = (
    {"id": 1, "name": "E-mail", "description": "", "type": "email", "subscribed_by_default": True},
    {"id": 2, "name": "Text messages", "description": "Short ones", "type": "sms", "subscribed_by_default": False},
)


def subscription_resources(
    present_people: Callable[[], list[Person]],
    person: Callable[[str], Person | None],
    topics: Callable[[], list[Row]],
    since_start: Callable[[], int],
) -> list[Resource]:
    """The streams of opt-outs, channels, and preferences; `since_start` tells the seconds since the world began."""

    def optouts() -> list[Row]:
        return [
            {"cio_id": each.cio_id, "customer_id": each.identifiers["id"] or "", "optouts": refused}
            for each in present_people()
            if (refused := _optouts(each, since_start()))
        ]

    async def answer(request: Request) -> dict[str, Any]:
        sender = request.query_params.get("from")
        rows = [row for row in optouts() if not sender or sender in {each["from"] for each in row["optouts"]}]
        page, following = _OPTOUT_PAGES.page(request, rows, lambda row: row["cio_id"])
        return {"optouts": page, "next": following} if following else {"optouts": page}

    async def channels(_: Request) -> dict[str, Any]:
        return {"channels": list(_CHANNELS)}

    def known(identifiers: Row) -> Person:
        found = person(identifiers["cio_id"])
        assert found, "a parent of the kind customers is in the workspace"  # noqa: S101 # narrows the type
        return found

    def preferences(identifiers: Row) -> Row:
        one = known(identifiers)
        return {
            "id": identifiers["id"],
            "identifiers": identifiers,
            "topics": [_preference(topic, one) for topic in topics()],
            "unsubscribed": one.unsubscribed,
            "header": {"title": "Your subscriptions", "subtitle": "Choose what you want to read."},
        }

    return [
        PlainList("optouts", "optouts", answer, optouts),
        PlainList("subscription_channels", "subscription_channels", channels, lambda: list(_CHANNELS)),
        ChildList(
            "person_optouts",
            "customers/{cio_id}/optouts",
            "optouts",
            lambda each: _optouts(known(each), since_start()),
        ),
        ChildRecord(
            "person_subscription_preferences",
            "customers/{cio_id}/subscription_preferences",
            preferences,
            lambda _, record: {"customer": record},
        ),
    ]


def _optouts(person: Person, since_start: int) -> list[Row]:
    """One in fifty wants no text messages from one number, some of them nothing from another one either.

    One in two hundred says so in the first two days.
    """
    if person.number % 50 or (person.number % 200 == 0 and since_start < person.number * 7919 % (2 * DAY)):
        return []
    optouts = [{"channel": "sms", "from": "+15550100"}]
    return optouts if person.number % 150 else [*optouts, {"channel": "whatsapp", "from": "+15550101"}]


def _preference(topic: Row, person: Person) -> Row:
    """A topic with a text for an id, unlike in the list of topics."""
    return {
        "id": str(topic["id"]),
        "name": topic["name"],
        "description": topic["description"],
        "subscribed": not person.unsubscribed and (person.number + topic["id"]) % 3 > 0,
    }

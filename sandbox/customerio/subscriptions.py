"""People's subscriptions, and the channels that they opted out of."""

from datetime import datetime

from sandbox.api.endpoints import Endpoint, Listing, Single
from sandbox.api.present import Arguments
from sandbox.api.timeline import DAY, Dated, Record, epoch, visible
from sandbox.api.tokens import Tokens
from sandbox.customerio.people import Person
from sandbox.customerio.workspace_people import WorkspacePeople

_CHANNELS: tuple[Record, ...] = (
    {"id": 1, "name": "E-mail", "description": "", "type": "email", "subscribed_by_default": True},
    {"id": 2, "name": "Text messages", "description": "Short ones", "type": "sms", "subscribed_by_default": False},
)


class Subscriptions:
    """Opt-outs and preferences, some of which change in the two days after `start` (epoch seconds)."""

    def __init__(self, people: WorkspacePeople, topics: list[Dated], start: int) -> None:
        self._people = people
        self._topics = topics
        self._start = start

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of opt-outs, channels, and preferences."""
        return [
            Listing(
                path="/optouts",
                stream="optouts",
                primary_key=("cio_id",),
                key="optouts",
                records=self._everybodys_optouts,
                paging=Tokens("opt", default=100, largest=1000, key=lambda row: str(row["cio_id"]), bare_end=True),
            ),
            Listing(
                path="/subscription_channels",
                stream="subscription_channels",
                key="channels",
                records=lambda *_: list(_CHANNELS),
                paging=None,
            ),
            Listing(
                path="/customers/{cio_id}/optouts",
                stream="person_optouts",
                primary_key=("cio_id", "channel", "from"),
                key="optouts",
                records=lambda arguments, now: self._optouts(self._people.person(arguments["cio_id"]), now),
                of=self._people.each,
                resolve=self._people.resolve,
                adds={"cio_id": "cio_id"},
                paging=None,
            ),
            Single(
                path="/customers/{cio_id}/subscription_preferences",
                stream="person_subscription_preferences",
                primary_key=("cio_id",),
                data=self._preferences,
                row=lambda data: data["customer"],
                of=self._people.each,
                resolve=self._people.resolve,
                adds={"cio_id": "cio_id"},
            ),
        ]

    def _everybodys_optouts(self, arguments: Arguments, now: datetime) -> list[Record]:
        rows: list[Record] = [
            {"cio_id": person.cio_id, "customer_id": person.identifiers["id"] or "", "optouts": optouts}
            for person in self._people.at(now)
            if (optouts := self._optouts(person, now))
        ]
        sender = arguments.get("from")
        return [row for row in rows if not sender or sender in {each["from"] for each in row["optouts"]}]

    def _optouts(self, person: Person, now: datetime) -> list[Record]:
        """Return the opt-outs of a person.

        One in fifty has opted out of text messages from one number, and some of these from another one too. One in two
        hundred opts out in the first two days.
        """
        passed = epoch(now) - self._start
        if person.number % 50 or (person.number % 200 == 0 and passed < person.number * 7919 % (2 * DAY)):
            return []
        optouts = [{"channel": "sms", "from": "+15550100"}]
        return optouts if person.number % 150 else [*optouts, {"channel": "whatsapp", "from": "+15550101"}]

    def _preferences(self, arguments: Arguments, now: datetime) -> Record:
        person = self._people.person(arguments["cio_id"])
        preferences = {
            "id": person.identifiers["id"],
            "identifiers": person.identifiers,
            "topics": [_preference(topic, person) for topic in visible(self._topics, now)],
            "unsubscribed": person.unsubscribed,
            "header": {"title": "Your subscriptions", "subtitle": "Choose what you want to read."},
        }
        return {"customer": preferences}


def _preference(topic: Record, person: Person) -> Record:
    """Return a topic; its id is a string here, unlike in the list of topics."""
    return {
        "id": str(topic["id"]),
        "name": topic["name"],
        "description": topic["description"],
        "subscribed": not person.unsubscribed and (person.number + topic["id"]) % 3 > 0,
    }

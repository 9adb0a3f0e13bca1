"""The members of each segment, and the use of segments and sender identities."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sandbox.api.endpoints import Endpoint, Listing, Parents, Single
from sandbox.api.present import Arguments
from sandbox.api.timeline import Dated, Record, visible
from sandbox.api.tokens import Tokens
from sandbox.customerio.behaviour import Behaviour
from sandbox.customerio.content import Content
from sandbox.customerio.workspace_people import WorkspacePeople


@dataclass
class Audience:
    """The use of segments and sender identities."""

    people: WorkspacePeople
    content: Content
    tables: Mapping[str, list[Dated]]
    """The lists of the configuration, by the name of their stream."""
    behaviour: Behaviour

    def endpoints(self, each: Mapping[str, Parents]) -> list[Endpoint]:
        """Return the endpoints of segments and senders; `each` contains the parents by the name of their list."""
        return [
            Listing(
                path="/segments/{segment_id}/membership",
                stream="segment_memberships",
                primary_key=("segment_id", "cio_id"),
                key="identifiers",
                records=lambda arguments, now: self._members(arguments["segment_id"], now),
                envelope=_with_ids,
                of=each["segments"],
                adds={"segment_id": "segment_id"},
                paging=Tokens("mem", default=1000, largest=30_000, key=lambda member: str(member["cio_id"])),
                null_if_empty=True,
            ),
            Single(
                path="/segments/{segment_id}/customer_count",
                stream="segment_counts",
                primary_key=("segment_id",),
                data=lambda arguments, now: {
                    "segment_id": arguments["segment_id"],
                    "count": len(self._members(arguments["segment_id"], now)),
                },
                of=each["segments"],
            ),
            Single(
                path="/segments/{segment_id}/used_by",
                stream="segment_usage",
                primary_key=("segment_id",),
                data=self._segment_usage,
                row=lambda data: data["used_by"],
                of=each["segments"],
                adds={"segment_id": "segment_id"},
            ),
            Single(
                path="/sender_identities/{sender_id}/used_by",
                stream="sender_usage",
                primary_key=("sender_id",),
                data=self._sender_usage,
                of=each["sender_identities"],
                adds={"sender_id": "sender_id"},
            ),
            Listing(
                path="/customers/{cio_id}/segments",
                stream="person_segments",
                primary_key=("cio_id", "id"),
                key="segments",
                records=lambda arguments, now: self._segments_of(arguments["cio_id"], now),
                of=self.people.each,
                resolve=self.people.resolve,
                adds={"cio_id": "cio_id"},
                paging=None,
            ),
        ]

    def _members(self, segment: int, now: datetime) -> list[Record]:
        return [person.identifiers for person in self.people.members(segment, now)]

    def _segments_of(self, cio_id: str, now: datetime) -> list[Record]:
        """Return the segments that a person is in, with the fields that this endpoint returns."""
        found = self.people.segments_of(cio_id, now)
        return [{name: segment[name] for name in ("id", "name", "description")} for segment in found]

    def _segment_usage(self, arguments: Arguments, now: datetime) -> Record:
        """Return the campaigns and newsletters that refer to the segment."""
        number = arguments["segment_id"]
        usage = self._usage(
            now,
            lambda campaign: number in campaign.get("trigger_segment_ids", []) + campaign["filter_segment_ids"],
            lambda newsletter: number in newsletter["recipient_segment_ids"],
        )
        if self.behaviour.segment_id_in_usage:
            return {"used_by": {"segment_id": number, **usage}}
        return {"segment_id": number, "used_by": usage}

    def _sender_usage(self, arguments: Arguments, now: datetime) -> Record:
        """Return the campaigns and newsletters whose content refers to the sender."""
        sender = arguments["sender_id"]
        return self._usage(
            now,
            lambda campaign: sender in self.content.senders("campaigns", campaign["id"], now),
            lambda newsletter: sender in self.content.senders("newsletters", newsletter["id"], now),
        )

    def _usage(
        self, now: datetime, in_campaign: Callable[[Record], bool], in_newsletter: Callable[[Record], bool]
    ) -> Record:
        newsletters = [row for row in visible(self.tables["newsletters"], now) if in_newsletter(row)]
        return {
            "campaigns": [row["id"] for row in visible(self.tables["campaigns"], now) if in_campaign(row)],
            "sent_newsletters": [row["id"] for row in newsletters if "sent_at" in row],
            "draft_newsletters": [row["id"] for row in newsletters if "sent_at" not in row],
        }


def _with_ids(arguments: Arguments, _: datetime, data: Record) -> Record:
    """Return the members as objects and as `ids`, with an empty string for those without an id."""
    ids = [known["id"] or "" for known in data["identifiers"] or []]
    return {"segment_id": arguments["segment_id"], "ids": ids or None, **data}

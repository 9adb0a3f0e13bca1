"""Who is in each segment, and what uses the segments and the sender identities."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from sandbox.customerio.content import Content
from sandbox.customerio.history import Row
from sandbox.customerio.paging import Pages
from sandbox.customerio.people import Person, number_of
from sandbox.customerio.resources import ChildList, ChildRecord, Endpoint, Parents, Resource

_MEMBER_PAGES = Pages[Row]("mem", default=1000, maximum=30_000)


@dataclass
class Audience:
    """What is known of segments; membership follows from the numbers of the segment and the person."""

    people: list[Person]
    content: Content
    listed: Callable[[str], list[Row]]
    """The rows of a list of the configuration, by the name of its stream."""
    now: Callable[[], int]
    segment_id_in_usage: bool = False
    """Whether `used_by` has the id of the segment inside, as was observed, or beside it, as documented."""

    def members(self, segment: Row) -> list[Row]:
        """The identifiers of a segment's members, in the order of `cio_id`; every tenth segment has none."""
        number, now = segment["id"], self.now()
        if number % 10 == 9:  # noqa: PLR2004 # any one
            return []
        return [person.identifiers for person in self.people[number - 1 :: 17 * number] if person.exists(now)]

    def segments_of(self, cio_id: str) -> list[Row]:
        """The segments that a person is in, with what is told of them there."""
        number = number_of(cio_id)
        return [
            {name: segment[name] for name in ("id", "name", "description")}
            for segment in self.listed("segments")
            if segment["id"] % 10 != 9 and number % (17 * segment["id"]) == segment["id"]  # noqa: PLR2004 # as above
        ]

    def segment_usage(self, segment: Row) -> Row:
        """The campaigns and newsletters that name the segment."""
        number = segment["id"]
        return self._usage(
            lambda campaign: number in campaign.get("trigger_segment_ids", []) + campaign["filter_segment_ids"],
            lambda newsletter: number in newsletter["recipient_segment_ids"],
        )

    def sender_usage(self, sender: Row) -> Row:
        """The campaigns and newsletters whose content names the sender."""
        now = self.now()
        return self._usage(
            lambda campaign: sender["id"] in self.content.senders("campaigns", campaign["id"], now),
            lambda newsletter: sender["id"] in self.content.senders("newsletters", newsletter["id"], now),
        )

    def _usage(self, in_campaign: Callable[[Row], bool], in_newsletter: Callable[[Row], bool]) -> Row:
        newsletters = [row for row in self.listed("newsletters") if in_newsletter(row)]
        return {
            "campaigns": [row["id"] for row in self.listed("campaigns") if in_campaign(row)],
            "sent_newsletters": [row["id"] for row in newsletters if "sent_at" in row],
            "draft_newsletters": [row["id"] for row in newsletters if "sent_at" not in row],
        }

    def usage_envelope(self, segment: Row, usage: Row) -> Row:
        """The body of the answer in either of its forms."""
        if self.segment_id_in_usage:
            return {"used_by": {"segment_id": segment["id"], **usage}}
        return {"segment_id": segment["id"], "used_by": usage}


@dataclass(frozen=True)
class _Memberships:
    listing: ChildList

    @property
    def stream(self) -> str:
        """The name of the stream."""
        return self.listing.stream

    def endpoint(self, parents: Parents) -> Endpoint:
        """The endpoint, which tells the members twice: `ids` has an empty text for whoever has no id."""
        plain = self.listing.endpoint(parents)

        async def answer(request: Request) -> dict[str, Any]:
            body = await plain.answer(request)
            ids = [known["id"] or "" for known in body["identifiers"] or []]
            return {"segment_id": int(request.path_params["segment_id"]), "ids": ids or None, **body}

        return Endpoint(plain.path, answer)

    def expected(self, parents: Parents) -> list[Row]:
        """The identifiers of all members, with the id of the segment."""
        return self.listing.expected(parents)


def audience_resources(audience: Audience) -> list[Resource]:
    """The streams of segments and senders."""
    return [
        _Memberships(
            ChildList(
                "segment_memberships",
                "segments/{segment_id}/membership",
                "identifiers",
                audience.members,
                _MEMBER_PAGES,
                page_key=lambda member: str(member["cio_id"]),
                null_when_empty=True,
            )
        ),
        ChildRecord(
            "segment_counts",
            "segments/{segment_id}/customer_count",
            lambda segment: {"segment_id": segment["id"], "count": len(audience.members(segment))},
        ),
        ChildRecord("segment_usage", "segments/{segment_id}/used_by", audience.segment_usage, audience.usage_envelope),
        ChildRecord("sender_usage", "sender_identities/{sender_id}/used_by", audience.sender_usage),
        ChildList(
            "person_segments",
            "customers/{cio_id}/segments",
            "segments",
            lambda person: audience.segments_of(person["cio_id"]),
        ),
    ]

"""The schema of spaces: events, traits, and the paths of entities."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Record, timestamp
from sandbox.segment.spaces import Spaces
from sandbox.segment.workspace import Workspace

_SUBJECTS = ("Order", "Cart", "Product", "Coupon", "Invoice", "Return", "Review", "Wishlist")
_VERBS = ("Viewed", "Added", "Removed", "Completed", "Updated", "Shared", "Failed")
_KINDS = ("TRACK", "TRACK", "PAGE", "SCREEN")
_KEYLESS = ("IDENTIFY", "GROUP", "ALIAS")
_TRAIT_TYPES = ("CUSTOM", "CUSTOM", "COMPUTED", "AUDIENCE", "SQL")
_COLLECTION = "users"
"""The only collection of traits that the vendor's documentation names."""
_PER_MINUTE = 25


@dataclass(frozen=True)
class _Seen:
    """An event, trait or entity that occurs repeatedly."""

    record: Record
    first: datetime
    every: timedelta

    def at(self, now: datetime) -> Record:
        return self.record | {"lastSeenAt": timestamp(self.first + (now - self.first) // self.every * self.every)}


class SpaceSchema:
    """Events, traits of users and entity paths of every space; the first space has the most."""

    def __init__(self, workspace: Workspace, spaces: Spaces) -> None:
        self._chance = workspace.chance("space-schema")
        self._workspace = workspace
        self._spaces = spaces
        self._events: dict[str, list[_Seen]] = {}
        self._traits: dict[str, list[_Seen]] = {}
        self._paths: dict[str, list[Record]] = {}
        for place, space in enumerate(spaces.spaces):
            size, identifier = (1, 6)[place > 0], space.record["id"]
            names = [f"{subject} {verb}" for subject in _SUBJECTS for verb in _VERBS]
            events = [{"name": kind.capitalize(), "type": kind} for kind in _KEYLESS]
            events += [{"name": name, "type": self._chance.choice(_KINDS)} for name in names]
            self._events[identifier] = self._seen(events[: workspace.scaled(len(events) // size)])
            traits = [self._trait(number) for number in range(workspace.scaled(54 // size))]
            self._traits[identifier] = self._seen(traits)
            self._paths[identifier] = [self._path(number) for number in range(workspace.scaled(12 // size))]

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tag Space Schema API."""
        directions = ("asc", "desc")
        return [
            Listing(
                path="/spaces/{spaceId}/events",
                stream="space_events",
                primary_key=("spaceId", "name", "type"),
                key="events",
                records=lambda arguments, now: _sorted(
                    self._events[arguments["spaceId"]], arguments, now, "lastSeenAt", "desc"
                ),
                of=self._spaces.each,
                choices={"sortBy": ("name", "type", "lastSeenAt"), "sortDir": directions},
                adds={"spaceId": "spaceId"},
                paging=Cursors(LastNext.NULL),
                per_minute=_PER_MINUTE,
            ),
            Listing(
                path="/spaces/{spaceId}/traits",
                stream="space_traits",
                primary_key=("spaceId", "collection", "trait"),
                key="traits",
                records=self._listed_traits,
                of=lambda now: [{**arguments, "collection": _COLLECTION} for arguments in self._spaces.each(now)],
                choices={
                    "collection": (_COLLECTION,),
                    "includeSampleValues": ("true", "false"),
                    "sortBy": ("trait", "type", "lastSeenAt"),
                    "sortDir": directions,
                },
                adds={"spaceId": "spaceId", "collection": "collection"},
                paging=Cursors(with_previous=False),
                per_minute=_PER_MINUTE,
            ),
            Listing(
                path="/spaces/{spaceId}/entity-paths",
                stream="space_entity_paths",
                primary_key=("spaceId", "id"),
                key="entityPaths",
                records=lambda arguments, _: self._paths[arguments["spaceId"]],
                of=self._spaces.each,
                adds={"spaceId": "spaceId"},
                per_minute=_PER_MINUTE,
            ),
        ]

    def _listed_traits(self, arguments: Arguments, now: datetime) -> list[Record]:
        traits = _sorted(self._traits[arguments["spaceId"]], arguments, now, "trait", "asc")
        if arguments.get("includeSampleValues") == "true":
            return [trait | {"samples": ["a", "b"]} for trait in traits]
        return traits

    def _seen(self, records: list[Record]) -> list[_Seen]:
        return [
            _Seen(record, self._workspace.past(self._chance), timedelta(minutes=self._chance.randrange(5, 3000)))
            for record in records
        ]

    def _trait(self, number: int) -> Record:
        kind = _TRAIT_TYPES[number % len(_TRAIT_TYPES)]
        return {"trait": f"{kind.lower()}_trait_{number + 1}", "type": kind}

    def _path(self, number: int) -> Record:
        slug = _SUBJECTS[number % len(_SUBJECTS)].lower()
        parents = [f"rel-{place}" for place in range(number % 3)]
        return {
            "id": f"path_{self._chance.identifier(12)}",
            "entityName": slug.capitalize(),
            "pathName": " → ".join(["User", *(["Account"] * len(parents)), slug.capitalize()]),
            "entitySlug": slug,
            "relationshipSlugs": [*parents, f"rel-{slug}"],
            "childRelationshipSlugs": [f"rel-{slug}-items"] if number % 2 else [],
            "parentRelationshipSlugPath": ":".join(parents),
        }


def _sorted(seen: list[_Seen], arguments: Arguments, now: datetime, by: str, direction: str) -> list[Record]:
    """Sort by the requested field, then by name."""
    by, direction = arguments.get("sortBy", by), arguments.get("sortDir", direction)
    name = "trait" if seen and "trait" in seen[0].record else "name"
    records = sorted((each.at(now) for each in seen), key=lambda record: str(record[name]))
    return sorted(records, key=lambda record: str(record[by]), reverse=direction == "desc")

"""Versions of objects with the time of their last change."""

from collections.abc import Iterable

from sandbox.api.timeline import FOREVER, Dated, Record, at, versions


def revisions(
    record: Record, created: int, updates: Iterable[int], stamp: str, label: str, vanishes: int | None = None
) -> list[Dated]:
    """Return the versions of an object; all times are in epoch seconds.

    The field `stamp` (and `deduplicate_id`) contains the time of the last change, and `label` the number of changes.
    """
    changes = (
        (at(moment), {label: f"{record[label]} (revision {number})"} | _stamped(record, moment, stamp))
        for number, moment in enumerate(sorted(updates), 2)
    )
    until = FOREVER if vanishes is None else at(vanishes)
    return versions(record | _stamped(record, created, stamp), at(created), list(changes), until)


def _stamped(record: Record, moment: int, stamp: str) -> Record:
    fields: Record = {stamp: moment}
    if "deduplicate_id" in record:
        fields["deduplicate_id"] = f"{record['id']}:{moment}"
    return fields

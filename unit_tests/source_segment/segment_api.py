"""Segment's Public API as the unit tests mock it: one object of each kind, and the contract of a stream."""

from dataclasses import dataclass, field
from typing import Any

import requests_mock

US = "https://api.segmentapis.com"
EU = "https://eu1.api.segmentapis.com"
CONFIG = {"api_token": "sgp_S3cret", "start_date": "2026-11-22"}
PAGES = {"pagination[count]": "1000"}
ONE_DAY = {"startTime": "2026-11-22T00:00:00Z", "endTime": "2026-11-22T11:59:00Z"}


@dataclass(frozen=True)
class Parent:
    """A parent object: the path of its list, and its record in that list."""

    path: str
    data_key: str
    record: dict[str, Any]
    query: str = ""

    def page(self, *identifiers: str) -> dict[str, Any]:
        """The list with one parent per identifier."""
        return {"data": {self.data_key: [{**self.record, "id": identifier} for identifier in identifiers]}}


PARENTS = {
    "s1": Parent("/sources", "sources", {"writeKeys": ["w1"]}),
    "d1": Parent("/destinations", "destinations", {"sourceId": "s1"}),
    "sub1": Parent("/destinations/d1/subscriptions", "subscriptions", {"modelId": "m1"}),
    "w1": Parent("/warehouses", "warehouses", {}),
    "cs1": Parent("/warehouses/w1/connected-sources", "sources", {}),
    "f1": Parent("/functions", "functions", {}, "resourceType=INSERT_SOURCE"),
    "tp1": Parent("/tracking-plans", "trackingPlans", {}),
    "sp1": Parent("/spaces", "spaces", {}),
    "a1": Parent("/spaces/sp1/audiences", "audiences", {}),
    "pw1": Parent("/spaces/sp1/profiles-warehouses", "profilesWarehouses", {}),
    "g1": Parent("/groups", "userGroups", {}),
    "u1": Parent("/users", "users", {}),
}


@dataclass(frozen=True)
class Contract:
    """A stream's contract, and its requests on 2026-11-22 with that day as start date.

    Attributes:
        shape: how Segment wraps the record: in a `list`; as one `object`; as the whole of `data`; as one of `strings`;
            as a point of a `series`; as one of the `subjects` of a suppression.
        paging: the parameter of the page size.
        parent: the id of the innermost parent in the path or the parameters.
        removed: the documented fields that are removed from the record.
        query: what distinguishes the request from others to the same path, which return nothing.
        absent: the log message if Segment returns 404 for a parent.
    """

    name: str
    path: str
    data_key: str
    keys: str = "id"
    cursor: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    added: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=lambda: {"id": "1"})
    shape: str = "list"
    paging: dict[str, str] = field(default_factory=lambda: PAGES)
    parent: str | None = None
    removed: list[str] = field(default_factory=list)
    query: str = ""
    absent: str = "was not found: it was deleted during the sync, unless the plan lacks"

    @property
    def primary_key(self) -> list[str]:
        """The fields of the key."""
        return self.keys.split()

    @property
    def is_list(self) -> bool:
        """True if a response contains any number of records."""
        return self.shape not in {"object", "data"}

    @property
    def cursor_parameter(self) -> str:
        """The parameter of the next page."""
        return next(iter(self.paging)).replace("count", "cursor")

    def page(self, *records: dict[str, Any], following: object = ...) -> dict[str, Any]:
        """A page of records; `following` is the value of `next`, which is absent if not given."""
        pagination = {"current": "c0"} | ({} if following is ... else {"next": following})
        if self.shape == "data":
            return {"data": records[0]}
        data = [self.as_segment_returns_it(record) for record in records] if self.is_list else records[0]
        return {"data": {self.data_key: data} | ({"pagination": pagination} if self.paging else {})}

    def as_segment_returns_it(self, record: dict[str, Any]) -> object:
        """The element of the list from which the record is made."""
        rest = dict(record)
        match self.shape:
            case "strings":
                return record["email"]
            case "subjects":
                return {"subjectIds": [rest.pop("subjectId")], **rest}
            case "series":
                point = {"time": rest.pop("time"), "count": rest.pop("count")}
                return {**rest, "total": 7, "totalRetryCount": 7, "series": [point]}
        return record


def serve_parents(api: requests_mock.Mocker) -> None:
    """Serve every list of parents with the one parent from `PARENTS`."""
    for identifier, parent in PARENTS.items():
        api.get(US + parent.path, json=parent.page())
        api.get(f"{US}{parent.path}?{parent.query}", json=parent.page(identifier))


def serve(api: requests_mock.Mocker, contract: Contract, *answers: dict[str, Any]) -> None:
    """Serve the stream's requests in turn with `answers` (arguments of `Mocker.get`), and its parents' lists."""
    serve_parents(api)
    if contract.query:
        api.get(US + contract.path, json=contract.page())
    api.get(f"{US}{contract.path}?{contract.query}", list(answers))


def requests_to(api: requests_mock.Mocker, contract: Contract) -> list[dict[str, str]]:
    """The query parameters of each request for the stream, in order."""
    return [
        {name: values[-1] for name, values in request.qs.items()}
        for request in api.request_history
        if request.path == contract.path and contract.query in request.query
    ]

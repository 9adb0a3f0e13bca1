"""Customer.io's App API as the unit tests mock it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, FailureType
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput

from unit_tests.helpers import JsonObject

US = "https://api.customer.io/v1"
EU = "https://api-eu.customer.io/v1"
NOW_TS = 1795348800
HOUR = 3600
DAY = 24 * HOUR
CONFIG: JsonObject = {"access_token": "cio-S3cret", "start_date": "2026-11-20", "people_detail": True}
START_TS = 1795132800
NO_SENDERS = {"json": {"sender_identities": [], "next": ""}}
ONE_PERSON = {"json": {"identifiers": [{"cio_id": "30e00001", "email": None, "id": None}], "ids": [""], "next": ""}}

# One parent of each kind, last changed long before any start date; a parent's own parent comes first.
PARENTS: dict[str, tuple[str, JsonObject]] = {
    "campaigns": ("GET /campaigns", {"campaigns": [{"id": 7, "updated": 1}]}),
    "broadcasts": ("GET /broadcasts", {"broadcasts": [{"id": 5, "updated": 1}]}),
    "broadcast_triggers": ("GET /broadcasts/5/triggers", {"triggers": [{"id": 9}]}),
    "newsletters": ("GET /newsletters", {"newsletters": [{"id": 3, "updated": 1}], "next": ""}),
    "transactional_messages": ("GET /transactional", {"messages": [{"id": 2, "updated_at": 1}]}),
    "segments": ("GET /segments", {"segments": [{"id": 4, "updated_at": 1}]}),
    "sender_identities": ("GET /sender_identities", {"sender_identities": [{"id": 8}], "next": ""}),
    "collections": ("GET /collections", {"collections": [{"id": 6, "updated_at": 1}]}),
    "types": ("GET /object_types", {"types": [{"id": "1"}]}),
    "objects": ("POST /objects", {"identifiers": [{"cio_object_id": "30e00002"}], "ids": None, "next": ""}),
    "customers_search": ("POST /customers", ONE_PERSON["json"]),
}


@dataclass(frozen=True)
class Contract:
    """A stream's contract, and its requests on 2026-11-22 with 2026-11-20 as start date."""

    name: str
    path: str
    data_key: str
    primary_key: list[str] = field(default_factory=lambda: ["id"])
    cursor: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    record: JsonObject = field(default_factory=lambda: {"id": 1})
    added: JsonObject = field(default_factory=dict)
    method: str = "GET"
    parents: tuple[str, ...] = ()
    served: Callable[[JsonObject], object] = dict
    """Converts a record to the form in which the API returns it."""
    token: str | None = None
    """The parameter that requests the next page, if the list has pages."""
    is_list: bool = True
    """True if a response contains a list of records, False if it contains a single one."""

    @property
    def requested_first(self) -> str:
        """The name of the stream whose list is requested first."""
        return self.parents[0] if self.parents else self.name

    def page(self, *records: JsonObject, following: object = ...) -> object:
        """A page of records; `following` is the value of `next`, which is absent if not given."""
        rows = [self.served(record) for record in records]
        if not self.data_key:
            return rows if self.is_list else rows[0]
        return {self.data_key: rows if self.is_list else rows[0]} | ({} if following is ... else {"next": following})


def serve(api: requests_mock.Mocker, contract: Contract, *answers: Mapping[str, Any]) -> None:
    """Answer the stream's requests in turn with `answers` (arguments of `Mocker.request`).

    Everything else that it requests exists: one of each parent; for `eps_suppression` no sender and no other type.
    """
    for name in contract.parents:
        serve_parent(api, name)
    if contract.name == "eps_suppression":
        api.get(US + "/sender_identities", **NO_SENDERS)
        for suppression_type in ("blocks", "spam_reports", "invalid_emails"):
            api.get(f"{US}/esp/suppression/{suppression_type}", json={"suppressions": None})
    for folders in ("assets/folders", "design_studio/folders"):
        if contract.path.split("/")[1] == folders.split("/")[0]:
            api.get(f"{US}/{folders}", json={"folders": []})
    if contract.name == "sender_identities":
        api.get(US + contract.path + "?hidden=true", json={"sender_identities": None, "next": ""})
        api.get(US + contract.path + "?hidden=false", list(answers))
        return
    api.request(contract.method, US + contract.path, list(answers))


def serve_parent(api: requests_mock.Mocker, name: str, host: str = US) -> None:
    """Answer requests for the list of parents with one parent."""
    request, body = PARENTS[name]
    method, _, path = request.partition(" ")
    api.request(method, host + path, json=body)


def respond(api: requests_mock.Mocker, contract: Contract, answer: Callable[[dict[str, str]], JsonObject]) -> None:
    """Answer each of the stream's requests with `answer`, called with its query parameters."""
    serve(api, contract, {"json": lambda request, _: answer(_parameters(request))})


def requests_to(api: requests_mock.Mocker, contract: Contract) -> list[dict[str, str]]:
    """The query parameters of each request for the stream, in order."""
    return [
        parameters
        for request in api.request_history
        if request.path == "/v1" + contract.path
        for parameters in [_parameters(request)]
        if contract.name != "sender_identities" or parameters["hidden"] == "false"
    ]


def errors_by_stream(output: EntrypointOutput) -> dict[str, list[tuple[FailureType | None, str]]]:
    """The failure type and message of each error, by stream."""
    found: dict[str, list[tuple[FailureType | None, str]]] = {}
    for message in output.errors:
        error = message.trace.error
        if error.stream_descriptor:
            found.setdefault(error.stream_descriptor.name, []).append((error.failure_type, error.message))
    return found


def only_error(output: EntrypointOutput) -> tuple[FailureType | None, str]:
    """The failure type and message of the only error."""
    [[error]] = errors_by_stream(output).values()
    return error


def last_status(output: EntrypointOutput, name: str) -> AirbyteStreamStatus:
    """The status with which the stream ended."""
    return output.get_stream_statuses(name)[-1]


def _parameters(request: Any) -> dict[str, str]:  # noqa: ANN401 # requests_mock has no public type for it
    return {name: values[-1] for name, values in request.qs.items()}

"""Customer.io's App API as the unit tests mock it, and what each stream asks it for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, FailureType
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput

from unit_tests.helpers import JsonObject

US = "https://api.customer.io/v1"
EU = "https://api-eu.customer.io/v1"
NOW = "2026-11-22T12:00:00Z"
NOW_TS = 1795348800
HOUR = 3600
DAY = 24 * HOUR
CONFIG = {"access_token": "key", "start_date": "2026-11-20"}
START_TS = 1795132800
NO_SENDERS = {"json": {"sender_identities": [], "next": ""}}
ONE_PERSON = {"json": {"identifiers": [{"cio_id": "30e00001", "email": None, "id": None}], "ids": [""], "next": ""}}


@dataclass(frozen=True)
class Contract:
    """What a stream promises, and what it asks Customer.io for on 2026-11-22 with 2026-11-20 as start date."""

    name: str
    path: str
    data_key: str
    primary_key: list[str] = field(default_factory=lambda: ["id"])
    cursor: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    record: JsonObject = field(default_factory=lambda: {"id": 1})
    added: JsonObject = field(default_factory=dict)
    method: str = "GET"

    @property
    def token(self) -> str | None:
        """The parameter that asks for the next page, if the list has pages."""
        return {"sender_identities": "start", "eps_suppression": "offset"}.get(
            self.name, "start" if "limit" in self.parameters else None
        )

    def page(self, *records: object, following: object = ...) -> JsonObject:
        """A page of records; `following` is the value of `next`, which is absent if not given."""
        return {self.data_key: list(records)} | ({} if following is ... else {"next": following})


def incremental(name: str, path: str, data_key: str, cursor: str) -> Contract:
    return Contract(name, path, data_key, cursor=cursor, record={"id": 1, cursor: START_TS})


CONTRACTS = [
    Contract("workspaces", "/workspaces", "workspaces"),
    incremental("campaigns", "/campaigns", "campaigns", "updated"),
    incremental("broadcasts", "/broadcasts", "broadcasts", "updated"),
    replace(
        incremental("newsletters", "/newsletters", "newsletters", "updated"), parameters={"limit": "100", "sort": "asc"}
    ),
    incremental("segments", "/segments", "segments", "updated_at"),
    incremental("transactional_messages", "/transactional", "messages", "updated_at"),
    incremental("exports", "/exports", "exports", "updated_at"),
    incremental("collections", "/collections", "collections", "updated_at"),
    replace(
        incremental("snippets", "/snippets", "snippets", "updated_at"),
        primary_key=["name"],
        record={"name": "footer", "value": "<p>", "updated_at": START_TS},
    ),
    Contract("topics", "/subscription_topics", "topics"),
    Contract("types", "/object_types", "types", record={"id": "1"}),
    Contract("reporting_webhooks", "/reporting_webhooks", "reporting_webhooks"),
    Contract("ip_addresses", "/info/ip_addresses", "ip_addresses", ["ip_address"], record={"ip_address": "192.0.2.1"}),
    Contract(
        "sender_identities",
        "/sender_identities",
        "sender_identities",
        parameters={"limit": "100", "sort": "asc", "hidden": "false"},
    ),
    Contract(
        "eps_suppression",
        "/esp/suppression/bounces",
        "suppressions",
        ["suppression_type", "domain", "email"],
        parameters={"limit": "1000"},
        record={"email": "lost@example.net", "created": 1},
        added={"suppression_type": "bounces", "domain": ""},
    ),
    replace(
        incremental("messages", "/messages", "messages", "created"),
        parameters={
            "limit": "1000",
            "get_tracked_responses": "true",
            "start_ts": str(START_TS),
            "end_ts": str(NOW_TS),
        },
        record={"id": "dg==", "created": START_TS, "deduplicate_id": f"dg==:{NOW_TS}"},
        added={"updated_at": NOW_TS},
    ),
    replace(
        incremental("activities", "/activities", "activities", "timestamp"),
        parameters={"limit": "100", "deleted": "true"},
        record={"id": "01K", "timestamp": START_TS},
    ),
    Contract(
        "customers",
        "/customers/attributes",
        "customers",
        ["cio_id"],
        parameters={"id_type": "cio_id"},
        record={"id": "", "identifiers": {"cio_id": "30e00001", "email": None, "id": None}},
        added={"cio_id": "30e00001"},
        method="POST",
    ),
]
BY_NAME = {contract.name: contract for contract in CONTRACTS}
PAGED = [contract for contract in CONTRACTS if contract.token == "start"]
CLIENT_SIDE = [contract for contract in CONTRACTS if contract.cursor and contract.cursor.startswith("updated")]


def serve(api: requests_mock.Mocker, contract: Contract, *answers: Mapping[str, Any]) -> None:
    """Answer the stream's requests in turn with `answers` (arguments of `Mocker.request`).

    What it needs besides is there: one person for `customers`, and for `eps_suppression` no sender and no other type.
    """
    api.post(US + "/customers", **ONE_PERSON)
    if contract.name == "eps_suppression":
        api.get(US + "/sender_identities", **NO_SENDERS)
        for suppression_type in ("blocks", "spam_reports", "invalid_emails"):
            api.get(f"{US}/esp/suppression/{suppression_type}", json={"suppressions": None})
    if contract.name == "sender_identities":
        api.get(US + contract.path + "?hidden=true", json={"sender_identities": None, "next": ""})
        api.get(US + contract.path + "?hidden=false", list(answers))
        return
    api.request(contract.method, US + contract.path, list(answers))


def respond(api: requests_mock.Mocker, contract: Contract, answer: Callable[[dict[str, str]], JsonObject]) -> None:
    """Answer each of the stream's requests with what `answer` makes of its query parameters."""
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


def served_rows(contract: Contract) -> JsonObject:
    """A page with the contract's record, as the API writes it."""
    record = contract.record["ip_address"] if contract.name == "ip_addresses" else contract.record
    return contract.page(record)


def errors_by_stream(output: EntrypointOutput) -> dict[str, list[tuple[FailureType | None, str]]]:
    """The failure type and sentence of each error, by stream."""
    found: dict[str, list[tuple[FailureType | None, str]]] = {}
    for message in output.errors:
        error = message.trace.error
        if error.stream_descriptor:
            found.setdefault(error.stream_descriptor.name, []).append((error.failure_type, error.message))
    return found


def only_error(output: EntrypointOutput) -> tuple[FailureType | None, str]:
    """The failure type and sentence of the one error of the one stream that failed."""
    [[error]] = errors_by_stream(output).values()
    return error


def last_status(output: EntrypointOutput, name: str) -> AirbyteStreamStatus:
    """The status with which the stream ended."""
    return output.get_stream_statuses(name)[-1]


def _parameters(request: Any) -> dict[str, str]:  # noqa: ANN401 # requests_mock has no public type for it
    return {name: values[-1] for name, values in request.qs.items()}

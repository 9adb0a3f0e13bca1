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
CONFIG: JsonObject = {"access_token": "key", "start_date": "2026-11-20", "people_detail": True}
START_TS = 1795132800
NO_SENDERS = {"json": {"sender_identities": [], "next": ""}}
ONE_PERSON = {"json": {"identifiers": [{"cio_id": "30e00001", "email": None, "id": None}], "ids": [""], "next": ""}}

# One parent of each kind, changed long before any start date. Where a parent lies below another, that comes first.
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
    parents: tuple[str, ...] = ()
    served: Callable[[JsonObject], object] = dict
    """How the API writes a record."""
    token: str | None = None
    """The parameter that asks for the next page, if the list has pages."""
    is_list: bool = True
    """Whether an answer holds a list of records, or a single one."""

    @property
    def asked_first(self) -> str:
        """The name of the stream whose list is the first that is asked for."""
        return self.parents[0] if self.parents else self.name

    def page(self, *records: JsonObject, following: object = ...) -> object:
        """A page of records; `following` is the value of `next`, which is absent if not given."""
        rows = [self.served(record) for record in records]
        if not self.data_key:
            return rows if self.is_list else rows[0]
        return {self.data_key: rows if self.is_list else rows[0]} | ({} if following is ... else {"next": following})


def incremental(name: str, path: str, data_key: str, cursor: str) -> Contract:
    return Contract(name, path, data_key, cursor=cursor, record={"id": 1, cursor: START_TS})


def design_studio(kind: str) -> Contract:
    return Contract(
        f"design_studio_{kind}",
        f"/design_studio/{kind}",
        kind,
        cursor="updated",
        record={"id": "123e4567-e89b-12d3-a456-426614174000", "updated": START_TS},
        parameters={"limit": "1000", "updated_after": str(START_TS - 1)},
        token="page",  # noqa: S106 # of a page
    )


def child(name: str, path: str, data_key: str, parent: str, added: JsonObject, **others: Any) -> Contract:  # noqa: ANN401
    """A stream below a parent, whose keys come before its own `id`."""
    key = others.pop("primary_key", [*added, "id"])
    return Contract(name, path, data_key, key, added=added, parents=(parent,), **others)


def person(name: str, path: str, data_key: str, key: list[str], **others: Any) -> Contract:  # noqa: ANN401
    """A stream that asks for each person."""
    added = {"cio_id": "30e00001", **others.pop("added", {})}
    parameters = {"id_type": "cio_id", **others.pop("parameters", {})}
    path = f"/customers/30e00001/{path}"
    return Contract(
        name, path, data_key, ["cio_id", *key], None, parameters, added=added, parents=("customers_search",), **others
    )


OBJECT = {"object_type_id": "1", "cio_object_id": "30e00002"}
USAGE = {"campaigns": [7], "sent_newsletters": [], "draft_newsletters": []}


CONTRACTS = [
    Contract("workspaces", "/workspaces", "workspaces"),
    incremental("campaigns", "/campaigns", "campaigns", "updated"),
    incremental("broadcasts", "/broadcasts", "broadcasts", "updated"),
    replace(
        incremental("newsletters", "/newsletters", "newsletters", "updated"),
        parameters={"limit": "100", "sort": "asc"},
        token="start",  # noqa: S106 # of a page
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
    Contract(
        "ip_addresses",
        "/info/ip_addresses",
        "ip_addresses",
        ["ip_address"],
        record={"ip_address": "192.0.2.1"},
        served=lambda record: record["ip_address"],
    ),
    Contract(
        "sender_identities",
        "/sender_identities",
        "sender_identities",
        parameters={"limit": "100", "sort": "asc", "hidden": "false"},
        token="start",  # noqa: S106 # of a page
    ),
    Contract(
        "eps_suppression",
        "/esp/suppression/bounces",
        "suppressions",
        ["suppression_type", "domain", "email"],
        parameters={"limit": "1000"},
        record={"email": "lost@example.net", "created": 1},
        added={"suppression_type": "bounces", "domain": ""},
        parents=("sender_identities",),
        token="offset",  # noqa: S106 # of a page
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
        token="start",  # noqa: S106 # of a page
    ),
    replace(
        incremental("activities", "/activities", "activities", "timestamp"),
        parameters={"limit": "100", "deleted": "true"},
        record={"id": "01K", "timestamp": START_TS},
        token="start",  # noqa: S106 # of a page
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
        parents=("customers_search",),
    ),
    child(
        "campaign_actions",
        "/campaigns/7/actions",
        "actions",
        "campaigns",
        {"campaign_id": 7},
        served=lambda record: {**record, "id": str(record["id"])},
        token="start",  # noqa: S106 # of a page
    ),
    child(
        "broadcast_actions",
        "/broadcasts/5/actions",
        "actions",
        "broadcasts",
        {"broadcast_id": 5},
        served=lambda record: {**record, "id": str(record["id"])},
        token="start",  # noqa: S106 # of a page
    ),
    child("broadcast_triggers", "/broadcasts/5/triggers", "triggers", "broadcasts", {"broadcast_id": 5}),
    Contract(
        "broadcast_trigger_errors",
        "/campaigns/5/triggers/9/errors",
        "errors",
        ["broadcast_id", "trigger_id", "index"],
        parameters={"limit": "100"},
        record={"error": "no such person"},
        added={"broadcast_id": 5, "trigger_id": 9, "index": 0},
        parents=("broadcasts", "broadcast_triggers"),
        served=lambda record: record.get("error"),
        token="start",  # noqa: S106 # of a page
    ),
    child("newsletter_variants", "/newsletters/3/contents", "contents", "newsletters", {"newsletter_id": 3}),
    child(
        "newsletter_test_groups",
        "/newsletters/3/test_groups",
        "test_groups",
        "newsletters",
        {"newsletter_id": 3},
        record={"id": 0, "winner": False},
    ),
    child(
        "transactional_variants",
        "/transactional/2/contents",
        "contents",
        "transactional_messages",
        {"transactional_id": 2},
    ),
    child(
        "segment_memberships",
        "/segments/4/membership",
        "identifiers",
        "segments",
        {"segment_id": 4},
        primary_key=["segment_id", "cio_id"],
        parameters={"limit": "30000"},
        record={"cio_id": "30e00001", "id": "17"},
        token="start",  # noqa: S106 # of a page
    ),
    child(
        "segment_counts",
        "/segments/4/customer_count",
        "",
        "segments",
        {"segment_id": 4},
        primary_key=["segment_id"],
        record={"segment_id": 4, "count": 0},
        is_list=False,
    ),
    child(
        "segment_usage",
        "/segments/4/used_by",
        "used_by",
        "segments",
        {"segment_id": 4},
        primary_key=["segment_id"],
        record=USAGE,
        is_list=False,
    ),
    child(
        "sender_usage",
        "/sender_identities/8/used_by",
        "",
        "sender_identities",
        {"sender_id": 8},
        primary_key=["sender_id"],
        record=USAGE,
        is_list=False,
    ),
    Contract(
        "objects",
        "/objects",
        "identifiers",
        ["object_type_id", "cio_object_id"],
        parameters={"limit": "100"},
        record={"cio_object_id": "30e00002", "object_id": "acme"},
        added={"object_type_id": "1"},
        method="POST",
        parents=("types",),
        token="start",  # noqa: S106 # of a page
    ),
    Contract(
        "object_attributes",
        "/objects/1/30e00002/attributes",
        "object",
        ["object_type_id", "cio_object_id"],
        parameters={"id_type": "cio_object_id"},
        record={"attributes": {"seats": "1"}, "object_type_id": "1"},
        added=OBJECT,
        parents=("types", "objects"),
        is_list=False,
    ),
    Contract(
        "object_relationships",
        "/objects/1/30e00002/relationships",
        "cio_relationships",
        ["object_type_id", "cio_object_id", "cio_id"],
        parameters={"limit": "100", "id_type": "cio_object_id"},
        record={"identifiers": {"cio_id": "30e00001", "email": None}},
        added={**OBJECT, "cio_id": "30e00001"},
        parents=("types", "objects"),
        token="start",  # noqa: S106 # of a page
    ),
    Contract(
        "collection_contents",
        "/collections/6/content",
        "",
        ["collection_id", "index"],
        record={"content": {"city": "Bergen"}},
        added={"collection_id": 6, "index": 0},
        parents=("collections",),
        served=lambda record: record.get("content"),
    ),
    design_studio("emails"),
    design_studio("folders"),
    design_studio("components"),
    replace(
        incremental("assets", "/assets", "assets", "updated"),
        parameters={"limit": "1000"},
        token="page",  # noqa: S106 # of a page
    ),
    replace(
        incremental("asset_folders", "/assets/folders", "folders", "updated"),
        parameters={"limit": "1000"},
        token="page",  # noqa: S106 # of a page
    ),
    Contract("subscription_channels", "/subscription_channels", "channels"),
    Contract(
        "optouts",
        "/optouts",
        "optouts",
        ["cio_id"],
        parameters={"limit": "1000"},
        record={"cio_id": "30e00001", "optouts": [{"channel": "sms", "from": "+15550100"}]},
        token="start",  # noqa: S106 # of a page
    ),
    person("person_segments", "segments", "segments", ["id"]),
    person(
        "person_relationships",
        "relationships",
        "cio_relationships",
        ["object_type_id", "cio_object_id"],
        parameters={"limit": "100"},
        record={"object_type_id": 1, "identifiers": {"cio_object_id": "30e00002", "object_id": "acme"}},
        added={"cio_object_id": "30e00002"},
        token="start",  # noqa: S106 # of a page
    ),
    person(
        "person_subscription_preferences",
        "subscription_preferences",
        "customer",
        [],
        record={"id": "17", "unsubscribed": False},
        is_list=False,
    ),
    person("person_optouts", "optouts", "optouts", ["channel", "from"], record={"channel": "sms", "from": "+15550100"}),
]
DELIVERIES = next(contract for contract in CONTRACTS if contract.name == "messages")
CONTRACTS.append(replace(DELIVERIES, name="draft_messages", parameters={**DELIVERIES.parameters, "drafts": "true"}))
BY_NAME = {contract.name: contract for contract in CONTRACTS}
PAGED = [contract for contract in CONTRACTS if contract.token == "start"]
NUMBERED = [contract for contract in CONTRACTS if contract.token == "page"]
CHILDREN = [contract for contract in CONTRACTS if contract.parents and contract.name != "customers"]
CLIENT_SIDE = [
    contract
    for contract in CONTRACTS
    if contract.cursor and contract.cursor.startswith("updated") and "updated_after" not in contract.parameters
]


def serve(api: requests_mock.Mocker, contract: Contract, *answers: Mapping[str, Any]) -> None:
    """Answer the stream's requests in turn with `answers` (arguments of `Mocker.request`).

    What it needs besides is there: one of each of its parents, but for `eps_suppression` no sender and no other type.
    """
    for name in contract.parents:
        serve_parent(api, name)
    if contract.name == "eps_suppression":
        api.get(US + "/sender_identities", **NO_SENDERS)
        for suppression_type in ("blocks", "spam_reports", "invalid_emails"):
            api.get(f"{US}/esp/suppression/{suppression_type}", json={"suppressions": None})
    if contract.name == "sender_identities":
        api.get(US + contract.path + "?hidden=true", json={"sender_identities": None, "next": ""})
        api.get(US + contract.path + "?hidden=false", list(answers))
        return
    api.request(contract.method, US + contract.path, list(answers))


def serve_parent(api: requests_mock.Mocker, name: str, host: str = US) -> None:
    """Answer the requests for the parent's list with one parent."""
    request, body = PARENTS[name]
    method, _, path = request.partition(" ")
    api.request(method, host + path, json=body)


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

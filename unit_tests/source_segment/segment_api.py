"""Segment's Public API as the unit tests mock it: one source, one destination, and what each stream asks for."""

from dataclasses import dataclass, field
from typing import Any

import requests_mock

US = "https://api.segmentapis.com"
NOW = "2026-11-22T12:00:00Z"
CONFIG = {"api_token": "token", "start_date": "2026-11-22"}
PARENT_LISTS = {
    "/sources": {"data": {"sources": [{"id": "s1", "writeKeys": ["w1"]}]}},
    "/destinations": {"data": {"destinations": [{"id": "d1", "sourceId": "s1"}]}},
}


@dataclass(frozen=True)
class Contract:
    """What a stream promises, and what it asks Segment for on 2026-11-22 with that day as start date."""

    name: str
    path: str
    data_key: str
    primary_key: list[str] = field(default_factory=lambda: ["id"])
    cursor: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    added: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=lambda: {"id": "1"})
    is_list: bool = True

    @property
    def is_child(self) -> bool:
        return "/s1/" in self.path or "/d1/" in self.path

    def page(self, *records: dict[str, Any], following: object = ...) -> dict[str, Any]:
        """A page of records; `following` is the value of `next`, which is absent if not given."""
        pagination = {"current": "c0"} | ({} if following is ... else {"next": following})
        data = list(records) if self.is_list else records[0]
        return {"data": {self.data_key: data, "pagination": pagination}}


def usage(name: str, endpoint: str, data_key: str, primary_key: list[str]) -> Contract:
    row = {"sourceId": "s1", "periodStart": 1, "timestamp": "2026-11-22T00:00:00.000Z"}
    return Contract(
        name,
        f"/usage/{endpoint}",
        data_key,
        primary_key,
        "timestamp",
        parameters={"period": "2026-11-01"},
        added={"period": "2026-11-01"},
        record={name: row[name] for name in primary_key},
    )


CONTRACTS = [
    Contract("workspace", "/", "workspace", is_list=False),
    Contract("sources", "/sources", "sources"),
    Contract("destinations", "/destinations", "destinations"),
    Contract("warehouses", "/warehouses", "warehouses"),
    Contract("users", "/users", "users"),
    Contract("groups", "/groups", "userGroups"),
    Contract("transformations", "/transformations", "transformations"),
    Contract("catalog_destinations", "/catalog/destinations", "destinationsCatalog"),
    Contract("catalog_sources", "/catalog/sources", "sourcesCatalog"),
    Contract("catalog_warehouses", "/catalog/warehouses", "warehousesCatalog"),
    Contract(
        "audit_events",
        "/audit-events",
        "events",
        cursor="timestamp",
        parameters={"startTime": "2026-11-21T23:59:59Z", "endTime": "2026-11-22T11:59:59Z"},
        record={"id": "1", "timestamp": "2026-11-22T01:00:00.500Z"},
    ),
    usage(
        "usage_api_calls_workspace_daily",
        "api-calls/daily",
        "dailyWorkspaceAPICallsUsage",
        ["timestamp"],
    ),
    usage(
        "usage_api_calls_per_source_daily",
        "api-calls/sources/daily",
        "dailyPerSourceAPICallsUsage",
        ["sourceId", "timestamp"],
    ),
    usage(
        "usage_mtu_workspace_daily",
        "mtu/daily",
        "dailyWorkspaceMTUUsage",
        ["periodStart", "timestamp"],
    ),
    usage(
        "usage_mtu_per_source_daily",
        "mtu/sources/daily",
        "dailyPerSourceMTUUsage",
        ["sourceId", "periodStart", "timestamp"],
    ),
    Contract(
        "source_connected_destinations",
        "/sources/s1/connected-destinations",
        "destinations",
        ["sourceId", "id"],
        added={"sourceId": "s1"},
    ),
    Contract(
        "source_connected_warehouses",
        "/sources/s1/connected-warehouses",
        "warehouses",
        ["sourceId", "id"],
        added={"sourceId": "s1"},
    ),
    Contract("destination_subscriptions", "/destinations/d1/subscriptions", "subscriptions"),
    Contract(
        "destination_delivery_metrics_summary",
        "/destinations/d1/delivery-metrics",
        "deliveryMetricsSummary",
        ["sourceId", "destinationId", "granularity", "startTime"],
        "startTime",
        parameters={
            "sourceId": "s1",
            "granularity": "DAY",
            "startTime": "2026-11-22T00:00:00Z",
            "endTime": "2026-11-22T12:00:00Z",
        },
        added={
            "destinationId": "d1",
            "granularity": "DAY",
            "startTime": "2026-11-22T00:00:00Z",
            "endTime": "2026-11-22T12:00:00Z",
        },
        record={"sourceId": "s1", "metrics": []},
        is_list=False,
    ),
]
LISTS = [contract for contract in CONTRACTS if contract.is_list]
CHILDREN = [contract for contract in CONTRACTS if contract.is_child]


def serve(api: requests_mock.Mocker, contract: Contract, *answers: dict[str, Any]) -> None:
    """Answer the stream's requests in turn with `answers` (arguments of `Mocker.get`), and its parents' list."""
    for path, parents in PARENT_LISTS.items():
        api.get(US + path, json=parents)
    api.get(US + contract.path, list(answers))


def requests_to(api: requests_mock.Mocker, contract: Contract) -> list[dict[str, str]]:
    """The query parameters of each request for the stream, in order."""
    return [
        {name: values[-1] for name, values in request.qs.items()}
        for request in api.request_history
        if request.path == contract.path
    ]

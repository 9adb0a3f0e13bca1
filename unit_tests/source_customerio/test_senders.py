"""Sender identities, and the suppressions of the domains they send from."""

import json

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject, read_streams, rows
from unit_tests.source_customerio.contracts import BY_NAME
from unit_tests.source_customerio.customerio_api import CONFIG, US, last_status, requests_to, serve

VISIBLE = {"id": 1, "email": "news@example.com", "hidden": False}
HIDDEN = {"id": 2, "email": "old@example.org", "hidden": True}
UNMARKED = {"id": 3, "email": "shop@EXAMPLE.com"}
PHONE = {"id": 4, "email": "", "address": "+15550100", "template_type": "phone", "hidden": False}
WITHOUT_EMAIL = {"id": 5, "email": None, "hidden": False}
TYPES = ("blocks", "bounces", "invalid_emails", "spam_reports")
BOUNCES = BY_NAME["eps_suppression"]


def serve_senders(api: requests_mock.Mocker, visible: list[JsonObject], hidden: list[JsonObject]) -> None:
    api.get(US + "/sender_identities?hidden=false", json={"sender_identities": visible, "next": ""})
    api.get(US + "/sender_identities?hidden=true", json={"sender_identities": hidden, "next": ""})


@pytest.mark.parametrize("hidden_list", [[HIDDEN], [VISIBLE, HIDDEN, UNMARKED]], ids=["only hidden", "hidden as well"])
def test_each_sender_comes_once_whatever_hidden_means(api: requests_mock.Mocker, hidden_list: list[JsonObject]) -> None:
    serve_senders(api, [VISIBLE, UNMARKED], hidden_list)

    found = rows(read_streams(SourceCustomerio, CONFIG, ["sender_identities"]))

    assert sorted(row["id"] for row in found) == [1, 2, 3]


def test_suppressions_of_every_type_for_the_account_and_once_for_each_domain(api: requests_mock.Mocker) -> None:
    serve_senders(api, [VISIBLE, UNMARKED, PHONE, WITHOUT_EMAIL], [HIDDEN])
    for kind in TYPES:
        api.get(f"{US}/esp/suppression/{kind}", json={"suppressions": [{"email": "lost@example.net"}]})

    found = rows(read_streams(SourceCustomerio, CONFIG, ["eps_suppression"]))

    keys = sorted((row["suppression_type"], row["domain"], row["email"]) for row in found)
    domains = ["", "example.com", "example.org"]
    assert keys == [(kind, domain, "lost@example.net") for kind in TYPES for domain in domains]


def test_suppressions_are_read_to_the_end(api: requests_mock.Mocker) -> None:
    addresses = [{"email": f"{number}@example.net"} for number in range(2_000)]
    pages = [addresses[:1000], addresses[1000:], None]
    serve(api, BOUNCES, *({"json": {"suppressions": page}} for page in pages))

    found = rows(read_streams(SourceCustomerio, CONFIG, ["eps_suppression"]))

    assert [row["email"] for row in found] == [row["email"] for row in addresses]
    assert [request.get("offset") for request in requests_to(api, BOUNCES)] == [None, "1000", "2000"]


def test_a_deleted_domain_is_skipped_with_a_log_line(api: requests_mock.Mocker) -> None:
    gone = {"errors": [{"detail": "not found", "status": "404"}]}
    serve(api, BOUNCES, {"status_code": 404, "json": gone})
    api.get(f"{US}/esp/suppression/blocks", json={"suppressions": [{"email": "lost@example.net"}]})

    output = read_streams(SourceCustomerio, CONFIG, ["eps_suppression"])

    assert [row["suppression_type"] for row in rows(output)] == ["blocks"]
    assert last_status(output, "eps_suppression") is AirbyteStreamStatus.COMPLETE
    assert any("no longer exists: it was deleted" in json.dumps(log.log.message) for log in output.logs)

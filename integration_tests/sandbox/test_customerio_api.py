"""The simulated Customer.io App API as a client sees it, quirk by quirk."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integration_tests.sandbox.customerio_client import Ask, rejected
from sandbox.server import Sandbox

DAY = 24 * 3600


def pages(ask: Ask, path: str, json: object = None, **parameters: str | int) -> Iterator[dict[str, Any]]:
    while True:
        body = ask(path, json, **parameters).json()
        yield body
        if not body["next"]:
            return
        parameters["start"] = body["next"]


def test_the_other_regions_key_is_rejected_like_a_wrong_one(sandbox: Sandbox) -> None:
    answers = [
        requests.get(
            f"{sandbox.url}/customerio/{region}/v1/workspaces", headers={"Authorization": f"Bearer {key}"}, timeout=10
        )
        for region, key in [
            ("us", "sandbox-key-eu"),
            ("eu", "sandbox-key-us"),
            ("us", "wrong"),
            ("eu", "sandbox-key-eu"),
        ]
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 200]
    assert rejected(answers[0], 401) == rejected(answers[2], 401)


def test_an_unrouted_path_gets_a_plain_text_response(ask: Ask) -> None:
    response = ask("/esp/domains")

    assert (response.status_code, response.text) == (404, "404 page not found\n")
    assert response.headers["content-type"].startswith("text/plain")


def test_unknown_parameters_are_ignored(ask: Ask) -> None:
    assert ask("/segments", limit=1, start="x", sort="desc").json() == ask("/segments").json()


@pytest.mark.parametrize(
    ("path", "key", "rows"), [("/newsletters", "newsletters", 72), ("/sender_identities", "sender_identities", 24)]
)
def test_the_last_page_has_a_next_that_leads_to_an_empty_page(ask: Ask, path: str, key: str, rows: int) -> None:
    walked = list(pages(ask, path, limit=50, sort="asc"))

    assert walked[-1] == {key: [], "next": ""}
    assert all(page["next"] for page in walked[:-1])
    assert sum(len(page[key]) for page in walked) == rows


def test_hidden_lists_only_hidden_senders(ask: Ask) -> None:
    lists = {
        hidden: ask("/sender_identities", hidden=hidden).json()["sender_identities"] for hidden in ("true", "false")
    }

    assert {row["hidden"] for row in lists["true"]} == {True}
    assert {row["hidden"] for row in lists["false"]} == {False}


def test_bounds_of_deliveries_are_inclusive_seconds(ask: Ask, sandbox: Sandbox) -> None:
    moment = sandbox.customerio.messages.between(0, sandbox.customerio.now)[100].created

    found = ask("/messages", start_ts=moment, end_ts=moment).json()["messages"]

    assert {row["created"] for row in found} == {moment}


def test_a_window_of_deliveries_is_narrowed_to_six_months_before_its_end(ask: Ask, sandbox: Sandbox) -> None:
    end = sandbox.customerio.now - 30 * DAY

    created = [
        row["created"]
        for page in pages(ask, "/messages", start_ts=end - 730 * DAY, end_ts=end, limit=1000)
        for row in page["messages"]
    ]

    assert created == sorted(created, reverse=True)
    assert end - 183 * DAY <= min(created) < end - 180 * DAY


def test_too_high_a_limit_of_deliveries_is_lowered_and_of_others_rejected(ask: Ask) -> None:
    assert len(ask("/messages", limit=5000).json()["messages"]) == 1000
    assert "limit" in rejected(ask("/newsletters", limit=101), 400)
    assert "limit" in rejected(ask("/activities", limit=101), 400)


def test_a_token_is_valid_only_at_its_own_endpoint(ask: Ask) -> None:
    token = ask("/activities", limit=1).json()["next"]

    assert "start token" in rejected(ask("/messages", start=token), 400)
    assert "start token" in rejected(ask("/messages", start="%%%"), 400)


def test_a_token_beyond_the_end_restarts_the_deliveries(ask: Ask, sandbox: Sandbox) -> None:
    now = sandbox.customerio.now
    token = next(page["next"] for page in pages(ask, "/messages", limit=1000))

    restarted = ask("/messages", start=token, start_ts=now - DAY, end_ts=now).json()

    assert restarted["messages"] == ask("/messages", start_ts=now - DAY, end_ts=now).json()["messages"]


def test_drafts_are_a_separate_list(ask: Ask) -> None:
    drafts, sent = (
        {row["id"] for page in pages(ask, "/messages", limit=1000, drafts=flag) for row in page["messages"]}
        for flag in ("true", "false")
    )

    assert drafts
    assert not drafts & sent


def test_tracked_responses_are_included_on_request(ask: Ask) -> None:
    with_responses, without = (
        ask("/messages", limit=1000, get_tracked_responses=flag).json()["messages"] for flag in ("true", "false")
    )

    assert any("tracked_responses" in row for row in with_responses)
    assert not any("tracked_responses" in row for row in without)


def test_a_search_by_cio_id_finds_more_people_than_one_by_id(ask: Ask) -> None:
    def found(field: str) -> list[str]:
        body = {"filter": {"and": [{"attribute": {"field": field, "operator": "exists"}}]}}
        return [
            row["cio_id"] for page in pages(ask, "/customers", json=body, limit=1000) for row in page["identifiers"]
        ]

    everybody = found("cio_id")
    assert len(everybody) == len(set(everybody)) == 6_000
    assert len(found("id")) < len(everybody)


def test_attributes_are_not_wrapped_and_omit_unknown_people(ask: Ask) -> None:
    answer = ask("/customers/attributes", json={"ids": ["30e00001", "cio_30e00002", "nobody"]}, id_type="cio_id")

    [person] = answer.json()["customers"]
    assert person["identifiers"]["cio_id"] == "30e00001"
    assert all(isinstance(value, str) for value in person["attributes"].values())


@pytest.mark.parametrize("ids", [[], ["x"] * 101, [1], "x"])
def test_attributes_of_nobody_or_of_too_many_are_rejected(ask: Ask, ids: object) -> None:
    assert "ids" in rejected(ask("/customers/attributes", json={"ids": ids}, id_type="cio_id"), 400)


def test_a_list_of_suppressions_that_is_empty_or_past_its_end_is_null(ask: Ask) -> None:
    for parameters in ({"domain": "unknown.example.com"}, {"offset": 100_000}):
        assert ask("/esp/suppression/bounces", **parameters).json() == {"suppressions": None}
    assert ask("/esp/suppression/spam_reports").json()["category"] == "spam"


def test_offsets_of_suppressions_do_not_overlap(ask: Ask) -> None:
    emails = [
        row["email"]
        for offset in range(0, 500, 100)
        for row in ask("/esp/suppression/bounces", offset=offset).json()["suppressions"] or []
    ]

    assert emails == sorted(set(emails))


def test_the_limit_per_second_has_a_retry_after_and_the_daily_quota_does_not(ask: Ask, sandbox: Sandbox) -> None:
    sandbox.customerio.rate_limit_per_second = 2
    answers = [ask(path) for path in ("/segments", "/campaigns", "/segments")]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert rejected(answers[2], 429).startswith("rate limited to 2 requests per 1s (reference ")
    assert answers[2].headers["Retry-After"] == "1"

    sandbox.customerio.rate_limit_per_second = None
    sandbox.customerio.daily_quota = 1
    answers = [ask("/segments") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert "Retry-After" not in answers[1].headers


def test_the_control_endpoint_sets_the_switches(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/_sandbox/customerio"

    answer = requests.post(url, json={"daily_quota": 5}, timeout=10).json()
    assert (answer["daily_quota"], answer["rate_limit_per_second"]) == (5, None)
    for wrong in ({"daily_quota": "5"}, [1]):
        answer = requests.post(url, json=wrong, timeout=10)
        assert (answer.status_code, list(answer.json())) == (400, ["error"])

"""The simulated Customer.io API in each position of its switches."""

import csv
import io
from datetime import datetime, timedelta, timezone

import pytest
import requests

from integration_tests.sandbox.customerio_client import Ask, rejected
from sandbox.customerio.world import CustomerioWorld
from sandbox.server import Sandbox

DAY = 24 * 3600
START = int(datetime(2026, 3, 1, tzinfo=timezone.utc).timestamp())
EVERYBODY = {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}
PERSON = "customers/30e00001/segments"


@pytest.fixture
def world(sandbox: Sandbox) -> CustomerioWorld:
    return sandbox.customerio


def by_date(days: int, **more: str | int) -> dict[str, str | int]:
    return {"version": 2, "res": "days", "tz": "UTC", "start": START, "end": START + days * DAY, **more}


def test_metrics_have_no_dates_unless_they_are_enabled(ask: Ask, world: CustomerioWorld) -> None:
    absent = ask("campaigns/1/metrics", **by_date(3)).json()["metric"]
    world.metrics_dates = "text"
    text = ask("campaigns/1/metrics", **by_date(3)).json()["metric"]
    world.metrics_dates = "iso"
    iso = ask("newsletters/1/metrics", period="days", steps=2).json()["metric"]

    assert absent.keys() == {"series"}
    assert text == absent | {"start": "2026-03-01 00:00:00 +0000 UTC", "end": "2026-03-04 00:00:00 +0000 UTC"} | {
        "res": "days"
    }
    assert (iso["start"], iso["end"]) == ("2026-03-09T05:00:00Z", "2026-03-10T05:00:00Z")


@pytest.mark.parametrize(("reading", "days", "end"), [("inclusive", 4, "03-04"), ("exclusive", 3, "03-04")])
def test_the_end_of_a_window_can_be_inclusive_or_exclusive(
    ask: Ask, world: CustomerioWorld, reading: str, days: int, end: str
) -> None:
    world.change({"metrics_end": reading, "metrics_dates": "iso"})

    metric = ask("campaigns/1/metrics", **by_date(3)).json()["metric"]

    assert len(metric["series"]["sent"]) == days
    assert metric["end"] == f"2026-{end}T00:00:00Z"


@pytest.mark.parametrize(("kept", "first"), [("last", 4), ("first", 0)])
def test_a_long_window_can_be_narrowed_to_either_end(ask: Ask, world: CustomerioWorld, kept: str, first: int) -> None:
    whole = ask("campaigns/1/metrics", **by_date(8)).json()["metric"]["series"]["sent"]
    world.change({"metrics_longest": 5, "metrics_keep": kept})

    assert ask("campaigns/1/metrics", **by_date(8)).json()["metric"]["series"]["sent"] == whole[first : first + 5]


@pytest.mark.parametrize(
    ("period", "most", "default"), [("hours", 24, 24), ("days", 45, 45), ("weeks", 12, 12), ("months", 121, 12)]
)
def test_every_resolution_has_a_maximum_reach(ask: Ask, period: str, most: int, default: int) -> None:
    lengths = [
        len(ask("newsletters/1/metrics", period=period, **steps).json()["metric"]["series"]["sent"])
        for steps in ({}, {"steps": 0}, {"steps": 1}, {"steps": most})
    ]

    assert lengths == [default, most, 2, most]
    assert rejected(ask("newsletters/1/metrics", period=period, steps=most + 1), 400)


@pytest.mark.parametrize(
    ("zone", "resolution", "start"),
    [
        ("EST", "hours", "2026-06-15T14:00:00Z"),
        ("EST", "days", "2026-06-14T05:00:00Z"),
        ("EST", "weeks", "2026-06-07T05:00:00Z"),
        ("EST", "months", "2026-05-01T05:00:00Z"),
        ("America/New_York", "days", "2026-06-14T04:00:00Z"),
        ("America/New_York", "weeks", "2026-06-07T04:00:00Z"),
        ("America/New_York", "months", "2026-05-01T04:00:00Z"),
    ],
)
def test_weeks_begin_on_sunday_and_days_in_the_zone(
    ask: Ask, sandbox: Sandbox, zone: str, resolution: str, start: str
) -> None:
    sandbox.clock.advance(datetime(2026, 6, 15, 15, 30, tzinfo=timezone.utc) - sandbox.clock.now)
    sandbox.customerio.change({"metrics_zone": zone, "metrics_dates": "iso"})

    assert ask("newsletters/1/metrics", period=resolution, steps=2).json()["metric"]["start"] == start


def test_a_day_of_the_change_to_summer_has_23_hours(ask: Ask) -> None:
    summer = int(datetime(2026, 3, 8, 5, tzinfo=timezone.utc).timestamp())
    window = {"version": 2, "tz": "America/New_York", "start": summer, "end": summer + DAY - 1}

    hours, days = (
        ask("campaigns/1/metrics", **window, res=resolution).json()["metric"]["series"]["sent"]
        for resolution in ("hours", "days")
    )

    assert (len(hours), len(days)) == (24, 2)


def test_the_periods_of_all_resolutions_add_up(ask: Ask) -> None:
    window = {"version": 2, "tz": "UTC", "start": START - 28 * DAY, "end": START + 9 * DAY}

    def total(resolution: str) -> int:
        return sum(ask("campaigns/2/metrics", **window, res=resolution).json()["metric"]["series"]["created"])

    assert total("hours") <= total("days") <= total("months")


@pytest.mark.parametrize(
    ("required", "accepted"),
    [
        ("res", {"res", "res+resolution"}),
        ("resolution", {"resolution", "res+resolution"}),
        ("any", {"res", "resolution", "res+resolution"}),
        ("both", {"res+resolution"}),
    ],
)
def test_journey_metrics_require_either_name(
    ask: Ask, world: CustomerioWorld, required: str, accepted: set[str]
) -> None:
    world.change({"journey_parameter": required})
    window = {"start": START, "end": START + DAY}

    found = {
        names
        for names in ("res", "resolution", "res+resolution", "")
        if ask("campaigns/1/journey_metrics", **window, **dict.fromkeys(filter(None, names.split("+")), "days")).ok
    }

    assert found == accepted


def test_fields_of_2026(ask: Ask, world: CustomerioWorld) -> None:
    before = ask("activities", limit=100).json()["activities"]
    world.fields_of_2026 = True
    activities = ask("activities", limit=100).json()["activities"]
    series = ask("campaigns/2/metrics", **by_date(9)).json()["metric"]["series"]
    collections = ask("collections").json()["collections"]

    assert not any("name" in row or "url" in row for row in before)
    assert {("name" in row, "url" in row) for row in activities if row["type"] in {"event", "page"}} == {
        (True, False),
        (False, True),
    }
    assert {"machine_clicked", "replied", "untracked", "open_untracked", "link_untracked"} <= series.keys()
    assert any(row["phone"] for row in ask("sender_identities", limit=100).json()["sender_identities"])
    assert {(row["key_field"], row["delete_field"]) for row in collections} == {
        ("sku", "deleted"),
        ("sku", None),
        (None, None),
    }


def test_a_language_branch_counts_for_its_languages(ask: Ask, world: CustomerioWorld) -> None:
    path, window = "campaigns/2/actions/200/metrics", by_date(9)
    own = sum(ask(path, **window).json()["metric"]["series"]["created"])
    world.language_variants = True
    metric = ask(path, **window).json()["metric"]
    actions = ask("campaigns/2/actions").json()["actions"]

    variants = sum(sum(each["series"]["created"]) for each in metric["language_variants"])
    assert sum(metric["series"]["created"]) == own + variants
    assert [row.get("multi_language_branch_action_id") for row in actions] == [None, 200, 200]


@pytest.mark.parametrize(("form", "bare", "prefixed"), [("bare", 200, 404), ("prefixed", 404, 200), ("both", 200, 200)])
def test_people_are_found_by_only_one_form_of_their_cio_id(
    ask: Ask, world: CustomerioWorld, form: str, bare: int, prefixed: int
) -> None:
    world.change({"cio_id_in_paths": form, "cio_id_in_attributes": form})

    statuses = [ask(path, id_type="cio_id").status_code for path in (PERSON, PERSON.replace("30e", "cio_30e"))]
    found = [
        len(ask("customers/attributes", json={"ids": [cio_id]}, id_type="cio_id").json()["customers"])
        for cio_id in ("30e00001", "cio_30e00001")
    ]

    assert statuses == [bare, prefixed]
    assert found == [int(bare == 200), int(prefixed == 200)]


@pytest.mark.parametrize(
    ("form", "prefixes"), [("bare", (False, False)), ("optouts", (True, False)), ("prefixed", (True, True))]
)
def test_responses_write_a_cio_id_with_or_without_its_prefix(
    ask: Ask, world: CustomerioWorld, form: str, prefixes: tuple[bool, bool]
) -> None:
    world.change({"cio_id_in_answers": form})

    optout = ask("optouts").json()["optouts"][0]["cio_id"]
    found = ask("customers", json={"filter": EVERYBODY}).json()["identifiers"][0]["cio_id"]

    assert (optout.startswith("cio_"), found.startswith("cio_")) == prefixes


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("design_studio/emails", "emails"),
        ("design_studio/folders", "folders"),
        ("design_studio/components", "components"),
        ("assets", "assets"),
        ("assets/folders", "folders"),
    ],
)
def test_lists_without_a_folder_can_be_those_of_the_root(ask: Ask, world: CustomerioWorld, path: str, key: str) -> None:
    everything = ask(path).json()[key]
    world.folders = "root"
    root = ask(path).json()[key]
    folders = {row["parent_folder_id"] for row in everything} - {None}
    below = [row for folder in folders for row in ask(path, parent_folder_id=folder).json()[key]]

    assert {row["parent_folder_id"] for row in root} <= {None}
    assert sorted(str(row["id"]) for row in root + below) == sorted(str(row["id"]) for row in everything)


def test_the_owners_own_requests_use_up_part_of_the_limit(ask: Ask, world: CustomerioWorld) -> None:
    world.change({"rate_limit_per_second": 5, "other_requests_per_second": 3})

    answers = [ask("segments") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "rate limited to 5 requests" in rejected(answers[2], 429)


def test_a_collection_is_updated_by_files(ask: Ask) -> None:
    sources = ask("collections/sources").json()["sources"]
    sync = ask("collections/1/sync").json()["sync"]
    pages, cursor = [], ""
    while not pages or cursor:
        page = ask("collections/1/sync/rejects", limit=100, cursor=cursor).json()
        pages.append(page["rejects"])
        cursor = page["next_cursor"]
    rejects = [row for page in pages for row in page]

    assert sync["source_id"] in {source["id"] for source in sources}
    assert [len(page) for page in pages] == [100, 100, 70]
    assert rejects == sorted(rejects, key=lambda row: (row["file"], row["row"]))
    assert ask("collections/5/sync").json()["sync"]["state"] == "failed"
    assert ask("collections/2/sync").status_code == ask("collections/2/sync/rejects").status_code == 404


def test_the_result_of_a_write_is_looked_up_by_its_id(ask: Ask) -> None:
    failed = ask("collections/1/writes/01JD8X4Q6R2W7N3K5M9P1T0VZC").json()["write"]

    assert (failed["state"], failed["code"], len(failed["items"])) == ("failed", "items", 1)
    assert ask("collections/1/writes/unknown").status_code == ask("collections/99/writes/unknown").status_code == 404


def test_an_export_is_pending_for_a_while_and_then_a_file(ask: Ask, world: CustomerioWorld) -> None:
    world.export_polls = 2
    created = ask("exports/customers", json={"filters": EVERYBODY}).json()["export"]
    assert created["status"] == "pending"
    assert ask(f"exports/{created['id']}/download").status_code == 404
    statuses = [ask(f"exports/{created['id']}").json()["export"]["status"] for _ in range(3)]
    url = ask(f"exports/{created['id']}/download").json()["url"]
    people = list(csv.DictReader(io.StringIO(requests.get(url, timeout=10).text)))

    assert statuses == ["pending", "pending", "done"]
    assert {person["cio_id"] for person in people} == {row["cio_id"] for row in world.expected("customers")}
    assert requests.get(url.partition("?")[0], timeout=10).status_code == 403
    assert created["id"] in {row["id"] for row in ask("exports").json()["exports"]}
    assert ask("exports/9999").status_code == 404


def test_people_are_searched_by_segment(ask: Ask, world: CustomerioWorld) -> None:
    found = ask("customers", json={"filter": {"segment": {"id": 1}}}, limit=1000).json()["identifiers"]

    members = {row["cio_id"] for row in world.expected("segment_memberships") if row["segment_id"] == 1}
    assert {row["cio_id"] for row in found} == members


def test_messages_come_for_ten_more_days_and_are_opened_late(sandbox: Sandbox, world: CustomerioWorld) -> None:
    created = []
    for _ in range(14):
        sandbox.clock.advance(timedelta(days=1))
        created.append(len(world.messages.between(world.now - DAY, world.now)))

    assert min(created) > 0

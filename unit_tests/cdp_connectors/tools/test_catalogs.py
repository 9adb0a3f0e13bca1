import pytest

from cdp_connectors.tools.catalogs import UnknownStreamError, configured_catalog

CATALOG = {
    "streams": [
        {
            "name": "events",
            "json_schema": {"properties": {}},
            "supported_sync_modes": ["full_refresh", "incremental"],
            "default_cursor_field": ["time"],
            "source_defined_primary_key": [["id"]],
        },
        {
            "name": "visits",
            "json_schema": {"properties": {}},
            "supported_sync_modes": ["full_refresh", "incremental"],
            "default_cursor_field": ["time"],
        },
        {"name": "users", "json_schema": {"properties": {}}, "supported_sync_modes": ["full_refresh"]},
    ]
}


def test_each_stream_is_read_incrementally_if_possible() -> None:
    modes = {
        each["stream"]["name"]: (each["sync_mode"], each["destination_sync_mode"])
        for each in configured_catalog(CATALOG)["streams"]
    }
    assert modes == {
        "events": ("incremental", "append_dedup"),
        "visits": ("incremental", "append"),
        "users": ("full_refresh", "overwrite"),
    }


def test_full_refresh_overwrites_every_stream() -> None:
    streams = configured_catalog(CATALOG, full_refresh=True)["streams"]
    assert {(each["sync_mode"], each["destination_sync_mode"]) for each in streams} == {("full_refresh", "overwrite")}


def test_a_selection_keeps_the_order_of_the_source() -> None:
    streams = configured_catalog(CATALOG, ["users", "events"])["streams"]
    assert [each["stream"]["name"] for each in streams] == ["events", "users"]


def test_an_unknown_stream_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownStreamError, match=r"no stream people\. It has: events, visits, users\."):
        configured_catalog(CATALOG, ["people", "users"])

"""Each call's body, as Segment's spec documents it."""

import pytest
from requests_mock import Mocker

from unit_tests.destination_segment.segment_writes import (
    JsonObject,
    catalog_of,
    config_of,
    record,
    sent_batches,
    sent_items,
    write,
)

PERSON = {"id": "97980cfea0067", "email": "peter@example.com", "plan": "premium", "logins": 5}
ADDRESS = {"city": "Austin", "country": "US", "postalCode": "78701", "state": "TX", "street": "1 Main St"}


def sent(api: Mocker, mapping: JsonObject, data: JsonObject) -> JsonObject:
    """The single item that a record becomes, without its message id."""
    written = write(config_of({"stream": "users", **mapping}), catalog_of(), [record(data)])
    assert written.error is None
    [item] = sent_items(api)
    assert item.pop("messageId").startswith("airbyte-")
    return item


@pytest.mark.parametrize(
    ("mapping", "data", "body"),
    [
        pytest.param(
            {"call_type": "identify", "user_id_field": "id", "timestamp_field": "at"},
            {**PERSON, "at": "2012-12-02T00:30:08.276Z"},
            {
                "type": "identify",
                "userId": "97980cfea0067",
                "traits": {"email": "peter@example.com", "plan": "premium", "logins": 5},
                "timestamp": "2012-12-02T00:30:08.276Z",
            },
            id="identify",
        ),
        pytest.param(
            {
                "call_type": "track",
                "user_id_field": "id",
                "event_name": "Item Purchased",
                "revenue_field": "amount",
                "currency_field": "unit",
                "value_field": "worth",
                "context": [{"name": "ip", "field": "ip"}],
            },
            {"id": "019mr8mf4r", "name": "Mat", "amount": 14.99, "unit": "eur", "worth": 3, "ip": "24.5.68.47"},
            {
                "type": "track",
                "userId": "019mr8mf4r",
                "event": "Item Purchased",
                "properties": {"name": "Mat", "revenue": 14.99, "currency": "EUR", "value": 3},
                "context": {"ip": "24.5.68.47"},
            },
            id="track",
        ),
        pytest.param(
            {"call_type": "group", "user_id_field": "id", "group_id_field": "account"},
            {"id": 7, "account": 8, "name": "Initech", "employees": 420},
            {"type": "group", "userId": "7", "groupId": "8", "traits": {"name": "Initech", "employees": 420}},
            id="group",
        ),
        pytest.param(
            {"call_type": "page", "anonymous_id_field": "visitor", "name": "Pricing"},
            {"visitor": "v1", "url": "https://example.com/pricing"},
            {
                "type": "page",
                "anonymousId": "v1",
                "name": "Pricing",
                "properties": {"url": "https://example.com/pricing"},
            },
            id="page",
        ),
        pytest.param(
            {"call_type": "page", "anonymous_id_field": "visitor"},
            {"visitor": "v1", "url": "https://example.com/pricing"},
            {"type": "page", "anonymousId": "v1", "properties": {"url": "https://example.com/pricing"}},
            id="page without a name",
        ),
        pytest.param(
            {"call_type": "identify", "user_id_field": "id", "context_field": "about"},
            {"id": "u", "about": None},
            {"type": "identify", "userId": "u", "traits": {}},
            id="no context in the record",
        ),
        pytest.param(
            {"call_type": "screen", "anonymous_id_field": "visitor", "name_field": "screen"},
            {"visitor": "v1", "screen": "Cart", "variation": "blue"},
            {"type": "screen", "anonymousId": "v1", "name": "Cart", "properties": {"variation": "blue"}},
            id="screen",
        ),
        pytest.param(
            {"call_type": "alias", "user_id_field": "id", "previous_id_field": "old"},
            {"id": "new", "old": "former", "ignored": True},
            {"type": "alias", "userId": "new", "previousId": "former"},
            id="alias",
        ),
    ],
)
def test_a_record_becomes_the_documented_body(
    api: Mocker, mapping: JsonObject, data: JsonObject, body: JsonObject
) -> None:
    assert sent(api, mapping, data) == body


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"selection": "all", "exclude": ["email"]}, {"plan": "premium", "logins": 5}),
        ({"selection": "list", "fields": ["email", "absent"]}, {"email": "peter@example.com"}),
        (
            {
                "selection": "mapping",
                "mapping": [
                    {"name": "company.plan", "field": "plan"},
                    {"name": "visits", "field": "logins", "type": "string"},
                ],
            },
            {"company": {"plan": "premium"}, "visits": "5"},
        ),
        ({"selection": "none"}, {}),
    ],
    ids=["all", "list", "mapping", "none"],
)
def test_traits_are_selected(api: Mocker, traits: JsonObject, expected: JsonObject) -> None:
    assert sent(api, {"call_type": "identify", "user_id_field": "id", "traits": traits}, PERSON)["traits"] == expected


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("address", {**ADDRESS, "postalCode": 78701}, ADDRESS),
        ("age", "42", 42),
        ("birthday", "1990-05-17", "1990-05-17"),
        (
            "company",
            {"id": 5, "name": "Initech", "employee_count": "420", "tier": 1},
            {"id": 5, "name": "Initech", "employee_count": 420, "tier": 1},
        ),
        ("createdAt", 1354408208, "2012-12-02T00:30:08.000Z"),
        ("created_at", 1354408208276, "2012-12-02T00:30:08.276Z"),
        ("phone", 15551234567, "15551234567"),
        ("title", None, None),
        ("shirt", {"size": "L"}, {"size": "L"}),
    ],
)
def test_reserved_traits_have_their_documented_types(api: Mocker, name: str, given: object, expected: object) -> None:
    item = sent(api, {"call_type": "identify", "user_id_field": "id"}, {"id": "u", name: given})
    assert item["traits"] == {name: expected}


@pytest.mark.parametrize(
    ("settings", "data", "expected"),
    [
        ({}, {"amount": "19.99"}, {"revenue": 19.99, "currency": "USD"}),
        ({"currency": "nok"}, {"amount": 5}, {"revenue": 5, "currency": "NOK"}),
        ({"currency_field": "unit"}, {"amount": 5, "unit": "HRK"}, {"revenue": 5, "currency": "HRK"}),
        ({"currency_field": "unit"}, {"amount": 5, "unit": None}, {"revenue": 5, "currency": "USD"}),
        ({}, {"amount": None}, {}),
    ],
    ids=["default", "constant", "withdrawn code", "no code in the record", "no revenue"],
)
def test_revenue_has_a_currency(api: Mocker, settings: JsonObject, data: JsonObject, expected: JsonObject) -> None:
    mapping = {
        "call_type": "track",
        "user_id_field": "id",
        "event_name": "Bought",
        "revenue_field": "amount",
        **settings,
    }
    assert sent(api, mapping, {"id": "u", **data})["properties"] == expected


def test_context_and_integrations_come_from_fields_and_constants(api: Mocker) -> None:
    mapping = {
        "call_type": "identify",
        "user_id_field": "id",
        "traits": {"selection": "none"},
        "context_field": "context",
        "context": [{"name": "campaign.name", "field": "utm"}],
        "integrations_field": "switches",
        "integrations": [{"name": "All", "enabled": False}, {"name": "Mixpanel"}],
    }
    data = {"id": "u", "context": {"ip": "8.8.8.8"}, "utm": "Spring", "switches": {"Salesforce": True}}
    item = sent(api, mapping, data)
    assert item["context"] == {"ip": "8.8.8.8", "campaign": {"name": "Spring"}}
    assert item["integrations"] == {"Salesforce": True, "All": False, "Mixpanel": True}


@pytest.mark.parametrize(
    ("data", "traits"), [({"attributes": {"id": 5, "plan": "a", "key": 1}}, {"id": "5", "plan": "a"}), ({}, {})]
)
def test_the_fields_of_an_object_can_be_sent(api: Mocker, data: JsonObject, traits: JsonObject) -> None:
    selection = {"selection": "all", "object_field": "attributes", "exclude": ["key"]}
    mapping = {"call_type": "identify", "user_id_field": "id", "traits": selection}
    assert sent(api, mapping, {"id": "u", **data})["traits"] == traits


def test_fields_can_be_nested_in_objects(api: Mocker) -> None:
    traits = {"selection": "list", "fields": ["profile.name", "a.b"]}
    mapping = {"call_type": "identify", "user_id_field": "identifiers.id", "traits": traits}
    item = sent(api, mapping, {"identifiers": {"id": "u"}, "profile": {"name": "Ada"}, "a.b": 1})
    assert (item["userId"], item["traits"]) == ("u", {"profile": {"name": "Ada"}, "a": {"b": 1}})


@pytest.mark.parametrize(
    ("mapping", "data", "reason"),
    [
        ({"call_type": "identify", "user_id_field": "id"}, {"id": " "}, "the record has no user id (empty: 'id')"),
        (
            {"call_type": "identify", "user_id_field": "id", "anonymous_id_field": "anon"},
            {"other": 1},
            "the record has no user id (empty: 'id' and 'anon')",
        ),
        ({"call_type": "identify", "user_id_field": "id"}, {"id": {"a": 1}}, "the field 'id' is not a string"),
        (
            {"call_type": "identify", "user_id_field": "id", "timestamp_field": "at"},
            {"id": 1, "at": "soon"},
            "the field 'at' is not a date",
        ),
        (
            {
                "call_type": "identify",
                "user_id_field": "id",
                "traits": {"selection": "all", "object_field": "attributes"},
            },
            {"id": 1, "attributes": ["a"]},
            "the field 'attributes' is not an object",
        ),
        ({"call_type": "identify", "user_id_field": "id"}, {"id": 1, "age": "old"}, "'age' is not a number"),
        (
            {"call_type": "identify", "user_id_field": "id"},
            {"id": 1, "address": {"city": ["x"]}},
            "'address' has an invalid member: 'city' is not a string",
        ),
        (
            {"call_type": "track", "user_id_field": "id", "event_name_field": "event"},
            {"id": 1},
            "the record has no event name (empty: 'event')",
        ),
        (
            {"call_type": "track", "user_id_field": "id", "event_name": "x", "revenue_field": "r"},
            {"id": 1, "r": "$5"},
            "the field 'r' is not a number",
        ),
        (
            {"call_type": "track", "user_id_field": "id", "event_name": "x", "currency_field": "c"},
            {"id": 1, "c": "Euro"},
            "the field 'c' is not an ISO 4217 currency code",
        ),
        (
            {"call_type": "group", "user_id_field": "id", "group_id_field": "g"},
            {"id": 1, "g": None},
            "the record has no group id (empty: 'g')",
        ),
        (
            {"call_type": "identify", "user_id_field": "id"},
            {"id": 1, "note": "x" * 32_768},
            "the call is larger than the 32,768 bytes that Segment accepts",
        ),
    ],
)
def test_a_record_that_cannot_be_sent_fails_the_sync_with_its_reason(
    api: Mocker, mapping: JsonObject, data: JsonObject, reason: str
) -> None:
    written = write(config_of({"stream": "users", **mapping}), catalog_of(primary_key=["id"]), [record(data)])
    assert written.error is not None
    assert f"1 of stream 'users': {reason}." in str(written.error)
    assert not sent_batches(api)

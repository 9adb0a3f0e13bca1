"""Planted secrets and planted personal data appear in no output line of any command.

`make test-secrets` runs 10,000 cases of each test; by default there are few.
"""

import io
import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests_mock
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer, SyncMode

from cdp_connectors.entrypoint import prepare_logging, report_failure, run_destination, run_source
from cdp_connectors.json_types import Json, JsonObject
from destination_segment.destination import DestinationSegment
from source_customerio.source import SourceCustomerio
from source_heap.source import SourceHeap
from source_segment.source import SourceSegment
from unit_tests.declarative_sources import api, quick_start, waits
from unit_tests.helpers import catalog_of

__all__ = ["api", "quick_start", "waits"]

CASES = int(os.environ.get("PLANTED_CASES", "25"))
SECRET = "PLANTED"
EMAIL = "planted.person@example.com"
PHONE = "555-0100-PLANTED"
SOURCES = {"segment": SourceSegment, "customerio": SourceCustomerio, "heap": SourceHeap}
SECRET_FIELDS = {
    "segment": "api_token",
    "customerio": "access_token",
    "heap": "credentials",
    "destination": "write_key",
}
VALID: dict[str, JsonObject] = {
    "segment": {"api_token": "valid"},
    "customerio": {"access_token": "valid"},
    "heap": {
        "bucket": "b",
        "endpoint_url": "http://127.0.0.1:9",
        "credentials": {"auth_type": "access_key", "aws_access_key_id": "a", "aws_secret_access_key": "s"},
    },
    "destination": {"write_key": "valid", "mappings": []},
}
AROUND = ["", "\n", "\r\n", " ", "•", "é", "\x00", "\u202e", "'", '"', "{{ x }}", "%s", "\\", "<b>", "://"]


def planted(chance: random.Random) -> str:
    return chance.choice(AROUND) + SECRET + chance.choice(AROUND) + str(chance.random()) + chance.choice(AROUND)


def planted_json(chance: random.Random) -> Json:
    secret = planted(chance)
    return chance.choice([secret, [secret], {"k": secret}, json.dumps({"aws_secret_access_key": secret}), {secret: 1}])


def bad_config(name: str, chance: random.Random) -> Json:
    config: JsonObject = json.loads(json.dumps(VALID[name]))
    for _ in range(chance.randint(1, 3)):
        field = chance.choice(
            [SECRET_FIELDS[name], *config, "region", "start_date", "api_url", "endpoint_url", "mappings"]
        )
        config[field] = planted_json(chance)
    credentials = config.get("credentials")
    if isinstance(credentials, dict) and chance.random() < 0.5:
        credentials[chance.choice(["aws_secret_access_key", "external_id", "auth_type"])] = planted_json(chance)
    if name == "heap":
        config["endpoint_url"] = chance.choice(["http://127.0.0.1:9", planted_json(chance)])
        config["bucket"] = "b"  # the name of a bucket is not a secret, and messages contain it
    return chance.choice([config, config, config, [planted_json(chance)], planted(chance)])


def output_of(command: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> str:
    output = io.StringIO()
    with monkeypatch.context() as patched:
        for name in ("stdout", "__stdout__", "stderr"):
            patched.setattr(sys, name, output)
        prepare_logging()
        try:
            report_failure(command)
        except SystemExit:
            pass
        except Exception as error:  # noqa: BLE001 # printed as a process prints it, since the output is under test
            sys.excepthook(type(error), error, error.__traceback__)
    return output.getvalue()


@pytest.mark.parametrize("case", range(CASES))
def test_a_planted_secret_is_never_written(
    api: requests_mock.Mocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: int
) -> None:
    chance = random.Random(case)  # noqa: S311 # a reproducible case
    name = chance.choice([*SOURCES, "destination"])
    path = tmp_path / "config.json"
    path.write_text(json.dumps(bad_config(name, chance)))
    api.get(requests_mock.ANY, status_code=401, json={"errors": [{"message": "unauthorized"}]})
    api.head(requests_mock.ANY, status_code=403)
    api.post(requests_mock.ANY, status_code=400, json={})
    verb = chance.choice(["check", "discover"])

    def command() -> None:
        if name == "destination":
            run_destination(DestinationSegment(), ["check", "--config", str(path)])
        else:
            run_source(SOURCES[name], [verb, "--config", str(path)])

    written = output_of(command, monkeypatch)

    assert written, "the command says something"
    assert SECRET not in written


def answer(chance: random.Random) -> JsonObject:
    status = chance.choice([200, 200, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503])
    person: JsonObject = {"email": EMAIL, "phone": PHONE, "name": PHONE}
    bodies: list[JsonObject] = [
        {"json": {"errors": [{"message": f"no access for {EMAIL}", "detail": "denied", "context": person}]}},
        {"json": {"error": "denied", "request": person}},
        {"json": {"people": [person], "data": [person]}},
        {"json": [person]},
        {"json": PHONE},
        {"text": f"<html>{PHONE} {EMAIL}</html>", "headers": {"Content-Type": "text/html"}},
        {"text": f"{PHONE} {EMAIL}"},
        {"text": json.dumps({"data": {"users": [person]}, "campaigns": [person]})[: chance.randint(1, 90)]},
    ]
    return {"status_code": status, **chance.choice(bodies)}


STREAMS = {
    "segment": ["users", "source_settings", "audit_events", "usage_mtu_workspace_daily", "space_filters"],
    "customerio": ["campaigns", "activities", "customers", "object_relationships", "collections"],
}


@pytest.mark.parametrize("case", range(CASES))
def test_planted_personal_data_is_never_written_outside_of_records(
    api: requests_mock.Mocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: int
) -> None:
    chance = random.Random(case)  # noqa: S311 # a reproducible case
    name = chance.choice([*STREAMS])
    paths = {option: tmp_path / f"{option}.json" for option in ("config", "catalog")}
    paths["config"].write_text(json.dumps(VALID[name] | {"unavailable_streams": chance.choice(["fail", "skip"])}))
    catalog = catalog_of(chance.sample(STREAMS[name], 2), SyncMode.full_refresh)
    paths["catalog"].write_text(json.dumps(ConfiguredAirbyteCatalogSerializer.dump(catalog)))
    for method in ("GET", "POST"):
        api.request(method, requests_mock.ANY, [answer(chance) for _ in range(chance.randint(1, 4))])
    arguments = [part for option, path in paths.items() for part in (f"--{option}", str(path))]
    debug = ["--debug"] if chance.random() < 0.2 else []

    written = output_of(lambda: run_source(SOURCES[name], ["read", *arguments, *debug]), monkeypatch)

    lines = [line for line in written.splitlines() if not line.startswith(('{"type":"RECORD"', '{"type":"STATE"'))]
    leaks = [line for line in lines if EMAIL in line or PHONE in line]
    assert lines
    assert leaks == []

"""Rejected records in real S3 servers, written by `destination-segment` as a process."""

import orjson
import pytest

from cdp_connectors.json_types import JsonObject
from sandbox.airbyte import Connector, ScriptedSource, run_sync
from sandbox.heap.s3 import MotoS3, SeaweedS3
from sandbox.heap.s3_server import AccessKey, S3Server
from sandbox.server import Sandbox

MAPPING: JsonObject = {"stream": "users", "call": {"call_type": "identify", "user_id_field": "id"}}
CATALOG: JsonObject = {
    "streams": [
        {
            "stream": {
                "name": "users",
                "json_schema": {"type": "object", "properties": {"id": {}, "age": {}}},
                "supported_sync_modes": ["incremental"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
            "primary_key": [["id"]],
            "generation_id": 3,
        }
    ]
}
ROWS: list[JsonObject] = [{"id": 1, "age": 40}, {"id": 2, "age": "unknown"}]
STATE: JsonObject = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": {"n": 2}}}
LINES = [
    *(orjson.dumps({"type": "RECORD", "record": {"stream": "users", "data": row, "emitted_at": 1}}) for row in ROWS),
    orjson.dumps({"type": "STATE", "state": STATE}),
]


def connector(sandbox: Sandbox, server: S3Server, key: AccessKey) -> Connector:
    storage = {
        "storage_type": "S3",
        "s3_bucket_name": server.bucket,
        "s3_bucket_region": server.region,
        "s3_endpoint": server.endpoint_url,
        "bucket_path": "rejected",
        "access_key_id": key.key_id,
        "secret_access_key": key.secret,
    }
    settings = {"mappings": [MAPPING], "on_invalid": "skip", "object_storage_config": storage}
    return Connector("destination_segment", sandbox.configs()["destination-segment"] | settings)


@pytest.mark.parametrize("kind", [MotoS3, SeaweedS3])
def test_rejected_records_are_kept_in_the_bucket(sandbox: Sandbox, kind: type[S3Server]) -> None:
    with kind() as server:
        attempt = run_sync(ScriptedSource(LINES), connector(sandbox, server, server.writer), CATALOG)
        assert (attempt.status, attempt.failures) == ("succeeded", [])
        client = server.client(server.writer)
        [entry] = client.list_objects_v2(Bucket=server.bucket, Prefix="rejected/")["Contents"]
        [row] = client.get_object(Bucket=server.bucket, Key=entry["Key"])["Body"].read().splitlines()
        kept = orjson.loads(row)
        assert (kept["reason"], kept["generation_id"]) == ("'age' is not a number", 3)
        assert kept["message"]["record"]["data"] == ROWS[1]


def test_a_key_that_may_not_write_fails_the_sync_before_its_state(sandbox: Sandbox) -> None:
    with MotoS3() as server:
        attempt = run_sync(ScriptedSource(LINES), connector(sandbox, server, server.stranger), CATALOG)
        assert (attempt.status, attempt.states) == ("failed", {})
        [failure] = attempt.destination_errors
        assert failure.failure_type == "config_error"
        assert "could not be stored in the bucket" in failure.message
        assert server.stranger.secret not in f"{attempt.failures}{attempt.destination_logs}{attempt.stderr}"

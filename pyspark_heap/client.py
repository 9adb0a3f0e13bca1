"""The client of a bucket, once for every process of Spark and configuration."""

import json
from functools import lru_cache

from cdp_connectors.json_types import JsonObject
from source_heap.s3 import S3


def client(config: JsonObject) -> S3:
    """The client; Python workers are used for many tasks, and so are a role's credentials."""
    return _client(json.dumps(config, sort_keys=True))


@lru_cache(maxsize=8)
def _client(config: str) -> S3:
    return S3(json.loads(config))

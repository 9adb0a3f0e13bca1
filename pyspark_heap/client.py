"""S3 clients, one per configuration and Spark process."""

import json
from functools import lru_cache

from cdp_connectors.json_types import JsonObject
from source_heap.s3 import S3


def client(config: JsonObject) -> S3:
    """The client for a configuration; Python workers reuse it, and a role's credentials, for many tasks."""
    return _client(json.dumps(config, sort_keys=True))


@lru_cache(maxsize=8)
def _client(config: str) -> S3:
    return S3(json.loads(config))

"""Exceptions of the pure modules; `components/errors.py` translates them for Airbyte, `pyspark_heap` for Spark."""


class HeapError(Exception):
    """Base class: the bucket could not be read, or only in part. Its message is for the user."""


class ConfigError(HeapError):
    """The user, or the owner of the bucket, must change something before a retry can succeed."""


class TransientError(HeapError):
    """A later retry can succeed without any change."""

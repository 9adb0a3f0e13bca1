"""Storage of records that could not be sent, from which they can be sent again."""

import tempfile
import time
from types import TracebackType
from typing import Any

import orjson
from typing_extensions import Self

from cdp_connectors.failures import config_error
from destination_segment.configuration.object_storage import NoStorage, ObjectStorage, S3Storage
from destination_segment.delivery.origin import Rejection

_MEMORY_BYTES = 8_000_000
_SECONDS_BETWEEN_UPLOADS = 10


class RejectedRecords:
    """Keeps nothing, since no storage is configured."""

    keeps_records = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release what is held for the sync."""

    def add(self, rejection: Rejection) -> None:
        """Add a rejection."""

    def save(self, *, at_once: bool) -> bool:
        """Store what was added; return True if nothing is left to store."""
        del at_once
        return True


class StoredRecords(RejectedRecords):
    """One JSONL object per sync: record, stream, reason, mapping and generation.

    The object is uploaded again whenever records were added, so that no state passes a record that is not stored.
    """

    keeps_records = True

    def __init__(self, storage: S3Storage) -> None:
        """Prepare the object.

        Raises:
            AirbyteTracedException: a `config_error` if botocore is not installed.
        """
        self._bucket = storage.s3_bucket_name
        prefix = storage.bucket_path.strip("/")
        name = f"rejected_records_{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}_{time.time_ns() % 10**9:09d}.jsonl"
        self._key = f"{prefix}/{name}" if prefix else name
        self._client = _s3_client(storage)
        self._errors = _botocore_errors()
        self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 # open for the whole sync
        self._has_more = False
        self._saved_at = -float(_SECONDS_BETWEEN_UPLOADS)

    def close(self) -> None:
        """Remove the local copy."""
        self._file.close()

    def add(self, rejection: Rejection) -> None:
        """Append a rejection."""
        origin = rejection.origin
        head = {
            "stream": origin.stream.name,
            "namespace": origin.stream.key[0],
            "mapping": rejection.mapping,
            "reason": rejection.reason,
            "generation_id": origin.stream.generation_id,
        }
        self._file.write(orjson.dumps(head)[:-1] + b',"message":' + (origin.line or b"null") + b"}\n")
        self._has_more = True

    def save(self, *, at_once: bool) -> bool:
        """Upload what was added, at most every ten seconds unless `at_once`; return True if nothing is left.

        Raises:
            AirbyteTracedException: the upload failed.
        """
        if not self._has_more:
            return True
        if not at_once and time.monotonic() - self._saved_at < _SECONDS_BETWEEN_UPLOADS:
            return False
        self._file.seek(0)
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._key, Body=self._file)
        except self._errors as error:
            message = (
                f"Rejected records could not be stored in the bucket '{self._bucket}' ({_code(error)}). Check the "
                "Object Storage Configuration, and that the key may write to the bucket."
            )
            raise config_error(message) from error
        self._file.seek(0, 2)
        self._has_more, self._saved_at = False, time.monotonic()
        return True


def rejected_records(storage: ObjectStorage) -> RejectedRecords:
    """The storage for rejected records.

    Raises:
        AirbyteTracedException: a `config_error` if they are to be kept, and botocore is not installed.
    """
    return RejectedRecords() if isinstance(storage, NoStorage) else StoredRecords(storage)


def _s3_client(storage: S3Storage) -> Any:  # noqa: ANN401 # botocore has no types
    try:
        import botocore.session  # noqa: PLC0415 # an optional dependency of this feature only
        from botocore.config import Config as BotocoreConfig  # noqa: PLC0415 # as above
    except ImportError as error:
        message = (
            "The Object Storage Configuration needs botocore, which is not installed. Install "
            "cdp-connectors[object-storage], or remove the configuration."
        )
        raise config_error(message) from error
    return botocore.session.get_session().create_client(
        "s3",
        region_name=storage.s3_bucket_region or "us-east-1",
        endpoint_url=storage.s3_endpoint,
        aws_access_key_id=storage.access_key_id,
        aws_secret_access_key=storage.secret_access_key,
        config=BotocoreConfig(
            retries={"mode": "standard", "max_attempts": 5},
            s3={"addressing_style": "path" if storage.s3_endpoint else "auto"},
            request_checksum_calculation="when_required",  # compatible stores reject the checksums of newer clients
            response_checksum_validation="when_required",
        ),
    )


def _botocore_errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 # as above

    return BotoCoreError, ClientError


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response["Error"]["Code"]) if response else type(error).__name__

"""Translation of the pure modules' exceptions into Airbyte's."""

from collections.abc import Iterator
from contextlib import contextmanager

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException

from source_heap.errors import HeapError, TransientError


@contextmanager
def airbyte_errors() -> Iterator[None]:
    """Raise each `HeapError` of the enclosed block, or of the decorated function, as an `AirbyteTracedException`.

    The message is kept; a `TransientError` becomes a `transient_error`, any other a `config_error`. Generators need the
    `with` statement: as a decorator, this only covers their creation.
    """
    try:
        yield
    except HeapError as error:
        raise AirbyteTracedException(
            message=str(error), internal_message=repr(error), failure_type=failure_type(error)
        ) from error


def failure_type(error: HeapError) -> FailureType:
    """The failure type that tells Airbyte whether to retry."""
    return FailureType.transient_error if isinstance(error, TransientError) else FailureType.config_error

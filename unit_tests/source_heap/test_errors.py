import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException

from source_heap.avro.container import CorruptFileError
from source_heap.components.errors import airbyte_errors
from source_heap.errors import ConfigError, HeapError, TransientError


@pytest.mark.parametrize(
    ("error", "failure_type"),
    [
        (ConfigError("Change it."), FailureType.config_error),
        (CorruptFileError(0, "missing Avro magic bytes"), FailureType.config_error),
        (TransientError("Run it again later."), FailureType.transient_error),
    ],
)
def test_errors_of_the_pure_modules_become_airbyte_errors(error: HeapError, failure_type: FailureType) -> None:
    with pytest.raises(AirbyteTracedException) as caught, airbyte_errors():
        raise error
    assert (caught.value.message, caught.value.failure_type) == (str(error), failure_type)
    assert caught.value.__cause__ is error


def test_other_errors_are_not_translated() -> None:
    with pytest.raises(KeyError), airbyte_errors():
        raise KeyError

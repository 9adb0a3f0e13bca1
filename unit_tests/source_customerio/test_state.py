"""Migration of saved states."""

import pytest

from source_customerio.components.state import StateInTheFuture
from unit_tests.helpers import JsonObject
from unit_tests.source_customerio.customerio_api import NOW_TS


@pytest.mark.parametrize(
    ("state", "is_discarded"),
    [
        ({}, False),
        ({"updated": str(NOW_TS)}, False),
        ({"updated": str(NOW_TS + 1)}, True),
        ({"updated": NOW_TS + 1}, True),
        ({"unfinished": {"since": NOW_TS + 1}, "updated": "0"}, False),
        ({"updated": "2040-01-01"}, False),
    ],
)
def test_a_state_is_discarded_only_if_it_is_in_the_future(state: JsonObject, *, is_discarded: bool) -> None:
    assert StateInTheFuture().should_migrate(state) is is_discarded
    assert StateInTheFuture().migrate(state) == {}

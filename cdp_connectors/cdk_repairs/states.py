"""Fields of a stream's state that are not its cursor's."""

from collections.abc import MutableMapping

from airbyte_cdk.sources.streams.concurrent.cursor import Cursor

from cdp_connectors.json_types import Json


def extra_state(cursor: Cursor) -> MutableMapping[str, Json]:
    """The state of a stream, for reading and changing fields other than the cursor's.

    The CDK has no place for such fields. It keeps those of the state that it resumes from in the object that this
    returns, and writes them with every state of the stream, also when the stream fails.
    """
    return cursor.state

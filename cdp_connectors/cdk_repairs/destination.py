"""The CDK's destination, passing through messages that it does not know."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

import orjson
from airbyte_cdk.destinations import Destination
from airbyte_cdk.models import AirbyteMessage

from cdp_connectors.json_types import Json, JsonObject


class RepairedDestination(Destination):
    """`Destination` whose `write` reads and writes lines.

    The CDK parses every line into a model, which loses or rejects what it does not know: the platform's `id` of a
    state, a new kind of trace. It skips a line that it cannot parse, and logs its content.
    """

    @abstractmethod
    def write_input(self, config: Mapping[str, Json], catalog: JsonObject, stdin: BinaryIO) -> Iterator[str]:
        """Write the messages of standard input, and yield the lines of the states that are accepted.

        Args:
            config: the configuration.
            catalog: the configured catalog, unchanged.
            stdin: the messages, one per line.
        """

    def _run_write(  # type: ignore[override] # lines instead of messages
        self, config: Mapping[str, Json], configured_catalog_path: str, input_stream: TextIOWrapper
    ) -> Iterator[AirbyteMessage | str]:
        catalog = orjson.loads(Path(configured_catalog_path).read_bytes())
        yield from self.write_input(config, catalog, input_stream.buffer)  # type: ignore[arg-type] # it is binary

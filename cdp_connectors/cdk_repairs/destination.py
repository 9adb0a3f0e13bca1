"""The CDK's destination, with a reader of its input that can fail."""

from collections.abc import Iterable, Iterator
from io import TextIOWrapper

from airbyte_cdk.destinations import Destination
from airbyte_cdk.models import AirbyteMessage


class RepairedDestination(Destination):
    """`Destination` whose input is read by `parse_lines`; the CDK skips lines that it cannot read."""

    def parse_lines(self, lines: Iterable[bytes]) -> Iterator[AirbyteMessage]:
        """Parse the lines of standard input."""
        raise NotImplementedError

    def _parse_input_stream(self, input_stream: TextIOWrapper) -> Iterator[AirbyteMessage]:
        return self.parse_lines(input_stream.buffer)  # type: ignore[arg-type] # typeshed hides that it is a file

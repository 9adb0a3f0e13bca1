"""The destination's three commands: spec, check and write."""

import logging
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping

import orjson
from airbyte_cdk.destinations import Destination
from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConnectorSpecification,
    DestinationSyncMode,
    FailureType,
    Status,
)
from airbyte_cdk.utils import AirbyteTracedException
from serpyco_rs import SchemaValidationError

from cdp_connectors.cdk_repairs import RepairedDestination
from cdp_connectors.json_types import Json
from destination_segment.calls.catalog import require_mappings
from destination_segment.calls.stream import Stream
from destination_segment.configuration.config import Config, config_schema, parse_config
from destination_segment.delivery.client import SegmentClient
from destination_segment.delivery.lanes import Lanes
from destination_segment.delivery.writer import Writer

_UNPROVEN = (
    "Segment's Tracking API answers. It accepts any write key, so this check cannot tell whether yours exists: enter a "
    "Public API token to have it looked up, or look into the Debugger of your Segment source after the first sync."
)
_NO_OVERWRITE = "Stream '%s' asks to overwrite: Segment keeps what it has received, so the records are added to it."

logger = logging.getLogger("airbyte")


class DestinationSegment(RepairedDestination):
    """Turns the records of each stream into the calls that its mappings ask for."""

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:  # noqa: ARG002 # the CDK's signature
        """The form of the configuration."""
        return ConnectorSpecification(
            documentationUrl="https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/",
            connectionSpecification=config_schema(),
            supportsIncremental=True,
            supported_destination_sync_modes=[DestinationSyncMode.append, DestinationSyncMode.append_dedup],
        )

    @staticmethod
    def read_config(config_path: str) -> Json:
        """The configuration of a file, checked and with its texts trimmed.

        Raises:
            AirbyteTracedException: a `config_error` with a sentence for each fault.
        """
        config = Destination.read_config(config_path)
        return parse_config(config).model_dump(exclude_unset=True)

    def run_cmd(self, parsed_args: Namespace) -> Iterator[AirbyteMessage]:
        """Run a command; a configuration that is wrong is a failed `check`, not a failed process."""
        try:
            yield from super().run_cmd(parsed_args)
        except AirbyteTracedException as error:
            status = error.as_connection_status_message()
            if parsed_args.command != "check" or status is None:
                raise
            yield status

    def check(self, logger: logging.Logger, config: Mapping[str, Json]) -> AirbyteConnectionStatus:  # noqa: ARG002 # as above
        """Whether Segment can be reached and, if there is a Public API token, whether the write key exists."""
        parsed = parse_config(config)
        client = SegmentClient(parsed)
        try:
            client.probe()
            return _find_write_key(parsed, client) if parsed.public_api_token else _succeeded(_UNPROVEN)
        except AirbyteTracedException as error:
            return _failed(str(error))
        finally:
            client.close()

    def write(
        self,
        config: Mapping[str, Json],
        configured_catalog: ConfiguredAirbyteCatalog,
        input_messages: Iterable[AirbyteMessage],
    ) -> Iterator[AirbyteMessage]:
        """Send the records and give the states back; see `Writer.write`.

        Raises:
            AirbyteTracedException: before anything is sent if a stream has no mapping or one that does not fit.
        """
        parsed = parse_config(config)
        require_mappings(parsed, configured_catalog)
        for configured in configured_catalog.streams:
            if configured.destination_sync_mode is DestinationSyncMode.overwrite:
                logger.warning(_NO_OVERWRITE, configured.stream.name)
        streams = [Stream(parsed, configured) for configured in configured_catalog.streams]
        with Lanes(lambda: SegmentClient(parsed)) as lanes:
            yield from Writer(streams, lanes, skip_invalid=parsed.on_invalid == "skip").write(input_messages)

    def parse_lines(self, lines: Iterable[bytes]) -> Iterator[AirbyteMessage]:
        """Parse the messages of the input.

        Raises:
            AirbyteTracedException: a line is not a message, as when the source was cut off.
        """
        for number, line in enumerate(lines, 1):
            if line.isspace():
                continue
            try:
                yield AirbyteMessageSerializer.load(orjson.loads(line))
            except (orjson.JSONDecodeError, SchemaValidationError) as error:
                message = f"Line {number:,} of the input is not an Airbyte message. Was the source cut off?"
                raise AirbyteTracedException(
                    message=message, internal_message=message, failure_type=FailureType.system_error
                ) from None if isinstance(error, SchemaValidationError) else error


def _find_write_key(config: Config, client: SegmentClient) -> AirbyteConnectionStatus:
    hidden = False
    for source in client.sources():
        keys = source.get("writeKeys") or []
        hidden = hidden or not keys
        if config.write_key in keys:
            if source.get("enabled") is False:
                return _failed(
                    f"The write key belongs to the source '{source['slug']}', which is switched off: Segment would "
                    "drop what it receives. Switch the source on in Segment."
                )
            return _succeeded(f"The write key belongs to the source '{source['slug']}'.")
    if hidden:
        return _failed(
            "The write key was not found, but the Public API token may not see all of them. Give the token the role "
            "Source Admin, or leave it out."
        )
    return _failed(
        "No source of the token's workspace has this write key. Check the write key, and that key, token and region "
        "belong to one workspace."
    )


def _succeeded(message: str) -> AirbyteConnectionStatus:
    return AirbyteConnectionStatus(status=Status.SUCCEEDED, message=message)


def _failed(message: str) -> AirbyteConnectionStatus:
    return AirbyteConnectionStatus(status=Status.FAILED, message=message)

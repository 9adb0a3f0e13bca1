"""The destination's commands: spec, check, discover and write."""

import argparse
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

import orjson
from airbyte_cdk.destinations import Destination
from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    ConnectorSpecification,
    DestinationSyncMode,
    Status,
)
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.cdk_repairs import RepairedDestination
from cdp_connectors.failures import config_error
from cdp_connectors.json_types import Json, JsonObject
from destination_segment.calls.activation import Activation
from destination_segment.calls.catalog import mapped_streams, warn_about
from destination_segment.calls.configured_stream import ConfiguredStream, streams_of
from destination_segment.calls.stream import Stream
from destination_segment.calls.tracking_plans import rules_of
from destination_segment.configuration.config import Config, parse_config
from destination_segment.configuration.spec_form import config_schema
from destination_segment.delivery.client import SegmentClient
from destination_segment.delivery.lanes import Lanes
from destination_segment.delivery.messages import lines_of
from destination_segment.delivery.pace import Pace
from destination_segment.delivery.rejected_records import rejected_records
from destination_segment.delivery.retries import RejectionError
from destination_segment.delivery.verdicts import Verdicts
from destination_segment.delivery.write_keys import find_write_key
from destination_segment.delivery.writer import Writer

_UNPROVEN = (
    "Segment's Tracking API is reachable. It accepts any write key, so this check cannot verify that yours exists: "
    "enter a Public API token to have it verified, or check the Debugger of your Segment source after the first sync."
)
_STATUSES_OF_MISSING_FEATURES = frozenset({403, 404})

logger = logging.getLogger("airbyte")


class DestinationSegment(RepairedDestination):
    """Turns the records of each stream into the calls that its mappings describe."""

    VALID_CMDS = Destination.VALID_CMDS | {"discover"}

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:  # noqa: ARG002 # the CDK's signature
        """The connector's spec."""
        return ConnectorSpecification(
            documentationUrl="https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/",
            connectionSpecification=config_schema(),
            supportsIncremental=True,
            supported_destination_sync_modes=[DestinationSyncMode.append, DestinationSyncMode.append_dedup],
        )

    @staticmethod
    def read_config(config_path: str) -> JsonObject:
        """Read a configuration file, validated and with its strings trimmed.

        Raises:
            AirbyteTracedException: a `config_error` with a message for each problem.
        """
        config = Destination.read_config(config_path)
        return parse_config(config).model_dump(exclude_unset=True)

    def parse_args(self, args: list[str]) -> argparse.Namespace:
        """Parse a command line; the CDK's parser does not know `discover`."""
        if args[:1] != ["discover"]:
            return super().parse_args(args)
        parser = argparse.ArgumentParser(prog="destination-segment discover")
        parser.add_argument("--config", required=True, help="path to the json configuration file")
        return argparse.Namespace(command="discover", **vars(parser.parse_args(args[1:])))

    def run_cmd(self, parsed_args: argparse.Namespace) -> Iterator[AirbyteMessage | str]:  # type: ignore[override] # see below
        """Run a command; an invalid configuration fails a `check`, not the process.

        Yields:
            messages, or lines that the CDK's models cannot represent: states with unknown keys, and the catalog of
            data activation.
        """
        try:
            yield from super().run_cmd(parsed_args)
            if parsed_args.command == "discover":
                yield self.discover(self.read_config(parsed_args.config))
        except AirbyteTracedException as error:
            status = error.as_connection_status_message()
            if parsed_args.command != "check" or status is None:
                raise
            yield status

    def check(self, logger: logging.Logger, config: Mapping[str, Json]) -> AirbyteConnectionStatus:  # noqa: ARG002 # as above
        """Check that Segment can be reached and, with a Public API token, that the write key exists."""
        parsed = parse_config(config)
        client = SegmentClient(parsed)
        try:
            rejected_records(parsed.object_storage_config).close()
            client.probe()
            message = find_write_key(parsed.write_key, client) if parsed.public_api_token else _UNPROVEN
        except AirbyteTracedException as error:
            return AirbyteConnectionStatus(status=Status.FAILED, message=str(error))
        finally:
            client.close()
        return AirbyteConnectionStatus(status=Status.SUCCEEDED, message=message)

    def discover(self, config: Mapping[str, Json]) -> str:
        """The objects that data activation can map streams to, as a line of protocol 0.18."""
        parsed = parse_config(config)
        return orjson.dumps(_activation(parsed, with_rules=bool(parsed.public_api_token)).catalog()).decode()

    def write(
        self,
        config: Mapping[str, Json],
        configured_catalog: ConfiguredAirbyteCatalog,
        input_messages: Iterable[AirbyteMessage],
    ) -> Iterator[AirbyteMessage]:
        """Send the records of parsed messages; see `write_lines`."""
        catalog = ConfiguredAirbyteCatalogSerializer.dump(configured_catalog)
        lines = (orjson.dumps(AirbyteMessageSerializer.dump(message)) for message in input_messages)
        for line in self.write_lines(config, catalog, lines):
            yield AirbyteMessageSerializer.load(orjson.loads(line))

    def write_lines(
        self, config: Mapping[str, Json], catalog: Mapping[str, Json], lines: Iterable[bytes | None]
    ) -> Iterator[str]:
        """Send the records and return the states; see `Writer.write`.

        Raises:
            AirbyteTracedException: before anything is sent, if the write key does not exist or a stream has no mapping
                or one that does not fit its schema; after that, see `Writer.write`.
        """
        parsed = parse_config(config)
        streams = _configured_streams(catalog)
        if parsed.public_api_token:
            _require_write_key(parsed)
        activation = _activation(parsed, with_rules=_need_rules(streams) and bool(parsed.public_api_token))
        mapped = mapped_streams(parsed, streams, activation)
        for stream, mappings in mapped:
            warn_about(stream, mappings)
        pace, verdicts = Pace(parsed.events_per_second), Verdicts()
        with (
            rejected_records(parsed.object_storage_config) as records,
            Lanes(lambda: SegmentClient(parsed, pace), verdicts, max_calls=pace.max_calls) as lanes,
        ):
            writer = Writer(
                [Stream(parsed, stream, mappings) for stream, mappings in mapped],
                lanes,
                verdicts,
                records,
                skip_invalid=parsed.on_invalid == "skip",
            )
            yield from writer.write(lines)

    def write_input(self, config: Mapping[str, Json], catalog: JsonObject, stdin: BinaryIO) -> Iterator[str]:
        """Write the lines of standard input; see `write_lines`."""
        yield from self.write_lines(config, catalog, lines_of(stdin))


def _configured_streams(catalog: Mapping[str, Json]) -> list[ConfiguredStream]:
    try:
        return streams_of(catalog)
    except ValueError as error:
        raise config_error(f"The file passed to --catalog {error}.") from error


def _need_rules(streams: list[ConfiguredStream]) -> bool:
    return any(stream.object_name and Activation.needs_rules(stream.object_name) for stream in streams)


def _activation(config: Config, *, with_rules: bool) -> Activation:
    """The objects of the workspace, including those of its tracking plans.

    Without the Protocols feature, the Public API denies access to tracking plans; only the objects of Segment's spec
    remain.
    """
    if not with_rules:
        return Activation()
    client = SegmentClient(config)
    try:
        return Activation(rules_of(client.tracking_plans()))
    except RejectionError as error:
        if error.status not in _STATUSES_OF_MISSING_FEATURES:
            raise
        logger.warning("The workspace's tracking plans are not offered: %s", error)
        return Activation()
    finally:
        client.close()


def _require_write_key(config: Config) -> None:
    client = SegmentClient(config)
    try:
        find_write_key(config.write_key, client)
    finally:
        client.close()

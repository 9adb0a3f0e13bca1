"""The demo's way back: the sources' records become Segment calls, through the connectors' real commands."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from sandbox.airbyte import CommandError, Connector, configured, run_sync
from sandbox.airbyte.protocol import JsonObject
from sandbox.segment_tracking.world import TrackingWorld


class PipelineError(Exception):
    """A command of the pipeline failed; the message says which, and why."""


@dataclass(frozen=True)
class Pipeline:
    """`source-NAME read | destination-segment write` for some of a source's streams."""

    name: str
    """As in the source's console script, without `source-`."""
    mappings: Sequence[JsonObject]

    @property
    def streams(self) -> list[str]:
        """The streams that are mapped."""
        return [mapping["stream"] for mapping in self.mappings]


def _tracked(stream: str, event_name: str, **settings: str) -> JsonObject:
    return {
        "stream": stream,
        "call": {
            "call_type": "track",
            "anonymous_id_field": "user_id",
            "event_name": event_name,
            "timestamp_field": "time",
            "properties": {"selection": "all", "exclude": ["_heap_dump_id", "_heap_file"]},
            **settings,
        },
    }


PIPELINES = [
    Pipeline(
        "customerio",
        [
            {
                "stream": "customers",
                "call": {
                    "call_type": "identify",
                    "user_id_field": "id",
                    "anonymous_id_field": "cio_id",
                    "traits": {
                        "selection": "all",
                        "object_field": "attributes",
                        "exclude": ["id", "cio_id", "cio_subscription_preferences"],
                    },
                },
            }
        ],
    ),
    Pipeline(
        "heap",
        [
            _tracked("pageviews", "Page Viewed"),
            _tracked("checkout_complete_order_web_", "Order Completed", revenue_field="cart_value"),
        ],
    ),
]


def show(tracking: TrackingWorld, configs: Mapping[str, JsonObject], console: Console) -> None:
    """Run every pipeline whose source has a configuration, and print what Segment received.

    Args:
        tracking: what the sandbox's Tracking API received.
        configs: a configuration for each connector, `destination-segment` among them, by connector name.
        console: where to print.

    Raises:
        PipelineError: a command failed.
    """
    for pipeline in PIPELINES:
        if f"source-{pipeline.name}" in configs:
            _run(pipeline, configs, console)
    console.print(_received(tracking))


def _run(pipeline: Pipeline, configs: Mapping[str, JsonObject], console: Console) -> None:
    source, module = f"source-{pipeline.name}", f"source_{pipeline.name}"
    console.rule(f"[bold]{source} read | destination-segment write")
    reader = Connector(module, configs[source])
    try:
        catalog = configured(reader.discover(), pipeline.streams)
    except CommandError as error:
        raise PipelineError(f"{source} discover failed: {error}") from error
    config = {**configs["destination-segment"], "mappings": pipeline.mappings, "on_invalid": "skip"}
    writer = Connector("destination_segment", config)
    result = writer.check().check_result
    console.print(f"check  {result['status']}: {result.get('message', '')}")
    with console.status("Reading and writing"):
        attempt = run_sync(reader, writer, catalog, supports_refreshes=False, keep=False)
    if attempt.status != "succeeded":
        raise PipelineError(f"{source} | destination-segment failed: {' '.join(attempt.messages)}")
    for log in attempt.destination_logs:
        if log["message"].startswith("Stream "):
            console.print(f"write  {log['message']}")
    console.print(f"state  returned for {', '.join(sorted(attempt.states)) or 'no stream'}")


def _rejected(tracking: TrackingWorld) -> str:
    """Explain the difference between the messages that were sent and those that Segment shows."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(tracking.rejected.items()))
    return (
        f"Not shown by Segment, although accepted: {reasons}" if reasons else "Segment shows all calls that were sent."
    )


def _received(tracking: TrackingWorld) -> Table:
    messages: defaultdict[tuple[str, str], int] = defaultdict(int)
    users: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    times: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for message in tracking.messages:
        kind = message["type"], message.get("event", "")
        messages[kind] += 1
        users[kind].add(message.get("userId") or message["anonymousId"])
        times[kind].append(message["timestamp"][:10])
    table = Table(
        title="What Segment received", title_justify="left", caption=_rejected(tracking), caption_justify="left"
    )
    for heading in ("call", "event", "from", "to"):
        table.add_column(heading)
    for heading in ("messages", "users"):
        table.add_column(heading, justify="right")
    for kind, count in sorted(messages.items()):
        period = min(times[kind]), max(times[kind])
        table.add_row(*kind, *period, f"{count:,}", f"{len(users[kind]):,}")
    return table

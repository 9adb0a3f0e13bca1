"""The demo's pipelines from Customer.io and Heap into Segment."""

from io import StringIO

from rich.console import Console

from sandbox.demo.into_segment import show
from sandbox.heap.bucket import heap_bucket
from sandbox.server import Sandbox


def test_people_and_events_arrive_and_are_summarised_in_a_table() -> None:
    printed = StringIO()
    console = Console(file=printed, width=120)
    with Sandbox(scale=0.02) as sandbox, heap_bucket(sandbox.clock, scale=0.2) as bucket:
        show(sandbox.segment_tracking, {**sandbox.configs(), "source-heap": bucket.config}, console)
        received = sandbox.segment_tracking.messages
        people = {person["cio_id"] for person in sandbox.customerio.expected("customers")}
        rows = bucket.world.expected("checkout_complete_order_web_")
        orders = {row["event_id"] for row in rows if row["time"] != 0}
        undated = [row for row in rows if row["time"] == 0]

    output = " ".join(printed.getvalue().split())
    assert {message["anonymousId"] for message in received if message["type"] == "identify"} == people
    tracked = [message for message in received if message.get("event") == "Order Completed"]
    assert {message["properties"]["event_id"] for message in tracked} == orders
    assert undated, "0 is not a valid time: if sent, these orders would be dated 1970"
    assert f"{len(rows):,} records read, {len(rows) - len(undated):,} sent, {len(undated)} rejected" in output
    assert "What Segment received" in output
    assert f"{len(people):,}" in output

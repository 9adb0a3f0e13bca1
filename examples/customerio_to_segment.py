"""Sync people from Customer.io to Segment.

customerio.json is the configuration of source-customerio, and segment-destination.json that of destination-segment,
with a mapping for the stream `customers`.
"""

import json
from pathlib import Path

import airbyte as ab

source = ab.get_source(
    "source-customerio",
    local_executable="source-customerio",
    config=json.loads(Path("customerio.json").read_text()),
    streams=["customers"],
)
destination = ab.get_destination(
    "destination-segment",
    local_executable="destination-segment",
    config=json.loads(Path("segment-destination.json").read_text()),
)
result = destination.write(source)
print(f"{result.processed_records} records sent to Segment")

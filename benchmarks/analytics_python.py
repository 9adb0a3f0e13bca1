"""The program around Segment's own Python library: sends the records of the standard input with `identify`.

It is run by the Python of an environment that has the library, and is what is measured.
"""

import json
import sys

_LARGEST_BATCH = 1_000


def main(host: str, write_key: str) -> None:
    """Send what comes on the standard input; four threads and large batches, for the library's best."""
    from segment.analytics.client import Client  # noqa: PLC0415 # only that environment has it

    client = Client(write_key, host=host, gzip=True, thread=4, upload_size=_LARGEST_BATCH, max_queue_size=100_000)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["type"] != "RECORD":
            continue
        data = message["record"]["data"]
        user = data.pop("id")
        while not client.identify(user, data)[0]:
            client.flush()
    client.flush()
    client.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

"""A program around Segment's own Python library: sends the records from standard input with `identify`.

It is the program that is measured, run by the Python of an environment that has the library.
"""

import json
import sys

_LARGEST_BATCH = 1_000


def main(host: str, write_key: str) -> None:
    """Send the records from standard input, with four threads and large batches for the best possible speed."""
    from segment.analytics.client import Client  # noqa: PLC0415 # only installed in that environment

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

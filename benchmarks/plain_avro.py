"""The baseline: Avro files from S3 to RECORD lines with only boto3, fastavro and orjson.

`python -m benchmarks.plain_avro ENDPOINT BUCKET PREFIX`, with credentials in the environment.
"""

import sys

import boto3
import fastavro
import orjson


def main() -> None:
    """Write a line for every row of every file under the prefix."""
    endpoint, bucket, prefix = sys.argv[1:]
    client = boto3.client("s3", endpoint_url=endpoint)
    write = sys.stdout.buffer.write
    for listed in client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        body = client.get_object(Bucket=bucket, Key=listed["Key"])["Body"]
        for row in fastavro.reader(body):
            write(orjson.dumps({"type": "RECORD", "record": {"stream": prefix, "data": row}}) + b"\n")


if __name__ == "__main__":
    main()

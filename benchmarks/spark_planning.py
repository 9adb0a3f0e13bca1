"""Measures the data source's planning on the driver before the first task, without starting Spark.

It needs an interpreter that has PySpark. Standard input is a JSON object, the options of the data source. The output
is a JSON list: seconds, CPU seconds and peak RSS in MB.
"""

import json
import resource
import sys
import time

from pyspark_heap import HeapDataSource


def main() -> None:
    """Plan a query, and print its cost."""
    source = HeapDataSource(json.load(sys.stdin))
    started = time.monotonic()
    list(source.reader(source.schema()).partitions())
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))


if __name__ == "__main__":
    main()

"""Run by an interpreter that has PySpark: what the driver does before the first task of a table, without Spark.

Standard input is JSON, the options of the data source. The output is JSON: seconds, CPU seconds and peak RSS in MB.
"""

import json
import resource
import sys
import time

from pyspark_heap import HeapDataSource


def main() -> None:
    """Plan a query, and print what it took."""
    source = HeapDataSource(json.load(sys.stdin))
    started = time.monotonic()
    list(source.reader(source.schema()).partitions())
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))


if __name__ == "__main__":
    main()

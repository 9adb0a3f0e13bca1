"""Measures the cost of reading a table on a standalone cluster on this machine.

It needs an interpreter that has PySpark. Standard input is a JSON object: `executors`, `options` of the data source,
and a `folder`. Each line of the output is a JSON list: a query, its seconds, and the CPU seconds of driver, executors
and Python workers together.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession

from spark_tests.cluster import Cluster, processes

if TYPE_CHECKING:
    from collections.abc import Callable

_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run each query once to warm up the session, then measure it."""
    work = json.load(sys.stdin)
    folder = Path(work["folder"])
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.setsid()
    with Cluster(folder / "cluster", workers=work["executors"], memory="2g") as cluster:
        builder = SparkSession.builder.master(cluster.master)
        settings = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        settings |= {"spark.executor.memory": "1g", "spark.ui.enabled": "false"}
        for name, value in settings.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        queries: dict[str, Callable[[DataFrame], None]] = {
            "noop": lambda frame: frame.write.format("noop").mode("overwrite").save(),
            "Parquet": lambda frame: frame.write.mode("overwrite").parquet(str(folder / "table")),
        }
        for name, query in queries.items():
            for is_measured in (False, True):
                cpu, started = _cpu_seconds(cluster), time.monotonic()
                query(spark.read.format("heap").options(**work["options"]).load())
                if is_measured:
                    print(json.dumps([name, time.monotonic() - started, _cpu_seconds(cluster) - cpu]), flush=True)
        spark.stop()


def _cpu_seconds(cluster: Cluster) -> float:
    sessions = {process.session for process in cluster.executors()} | {os.getsid(0)}
    return sum(process.cpu_ticks for process in processes() if process.session in sessions) / _TICKS


if __name__ == "__main__":
    main()

"""A driver in a separate process, which tests can kill: `python -m spark_tests.driver`, with a task as its input."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from typing_extensions import Self

from spark_tests.cluster import processes
from spark_tests.world import ADMITS


class Driver:
    """Runs a task on a cluster; its output is appended to a log."""

    def __init__(self, task: dict[str, Any], log: Path, environment: dict[str, str] | None = None) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "spark_tests.driver"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYSPARK_PYTHON": sys.executable, **(environment or {})},
                start_new_session=True,
            )
        assert self._process.stdin
        with self._process.stdin as given:
            given.write(json.dumps(task).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill the driver and its JVM, as when its machine fails."""
        for process in processes():
            if process.session == self._process.pid:
                process.kill()
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def wait(self) -> int:
        """Wait until the driver ends, and return its exit code."""
        return self._process.wait(timeout=600)


def main() -> None:
    """Run the task: read tables into the noop sink, and streams into folders of Parquet files, one after another."""
    task = json.load(sys.stdin)
    builder = SparkSession.builder.master(task["master"])
    for name, value in task["settings"].items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    for given in task.get("tables", ()):
        spark.read.format("heap").options(**given).load().write.format("noop").mode("overwrite").save()
    for given in task.get("streams", ()):
        for _ in range(1 if ADMITS else 2):
            append_new_rows(spark, given, Path(task["folder"]))
    spark.stop()


def append_new_rows(spark: SparkSession, given: dict[str, str], folder: Path) -> None:
    """Append the new rows of a table to a folder of Parquet files.

    Before PySpark 4.2, a run after a failure only repeats the interrupted batch; another run reads the rest.
    """
    stream = spark.readStream.format("heap").options(**given).load()
    writer = stream.writeStream.format("parquet").option("path", str(folder / given["table"]))
    writer = writer.option("checkpointLocation", str(folder / f"{given['table']}-checkpoint"))
    writer.trigger(availableNow=True).start().awaitTermination()


if __name__ == "__main__":
    main()

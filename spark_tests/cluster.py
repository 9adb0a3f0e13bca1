"""A standalone Spark cluster on this machine, whose parts can be killed. Needs /proc."""

import os
import signal
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pyspark
from typing_extensions import Self

from sandbox.heap.process import ServerProcess, free_ports

_INTO_A_FILE = 'log=$1; shift; exec "$@" >"$log" 2>&1'
_DEPLOY = "org.apache.spark.deploy"


@dataclass(frozen=True)
class Process:
    """A process as described by /proc; processes of one machine of the cluster have the same `session`."""

    pid: int
    parent: int
    session: int
    command: str
    cpu_ticks: int
    """Its processor time, including that of its children that have ended."""

    def kill(self) -> None:
        """Send SIGKILL; nothing happens if the process has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def processes() -> list[Process]:
    """All processes whose data in /proc can be read."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            ticks = sum(map(int, fields[11:15]))
            found.append(Process(int(folder.name), int(fields[1]), int(fields[3]), command, ticks))
    return found


class Cluster:
    """A context manager that runs a master and workers ("machines"), each with one executor per application.

    The logs of master, workers and executors are written to `folder`.
    """

    def __init__(self, folder: Path, *, workers: int = 2, cores: int = 1, memory: str = "1g") -> None:
        self.folder = folder
        self._workers = workers
        self._options = ["--cores", str(cores), "--memory", memory]
        self._stack = ExitStack()
        self._machines: list[ServerProcess] = []

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            self._stack = stack
            port, ui_port = free_ports(2)
            self.master = f"spark://127.0.0.1:{port}"
            options = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", str(ui_port)]
            self._start("master", [f"{_DEPLOY}.master.Master", *options], ui_port)
            for _ in range(self._workers):
                self.start_machine()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start_machine(self) -> None:
        """Add a worker."""
        port, ui_port = free_ports(2)
        name = f"worker-{len(self._machines)}"
        options = [
            *("--host", "127.0.0.1", "--port", str(port), "--webui-port", str(ui_port)),
            *("--work-dir", str(self.folder / name), *self._options, self.master),
        ]
        self._machines.append(self._start(name, [f"{_DEPLOY}.worker.Worker", *options], ui_port))

    def python_workers(self) -> list[Process]:
        """The processes that run tasks in Python, without the daemons from which they are forked."""
        running = {process.pid: process for process in self._processes() if "pyspark.daemon" in process.command}
        return [process for process in running.values() if process.parent in running]

    def executors(self) -> list[Process]:
        """The executors' JVMs."""
        return [process for process in self._processes() if "CoarseGrainedExecutorBackend" in process.command]

    def machine_of(self, process: Process) -> list[Process]:
        """All processes of the machine that a process runs on."""
        return [other for other in processes() if other.session == process.session]

    def _processes(self) -> list[Process]:
        sessions = {machine.session for machine in self._machines}
        return [process for process in processes() if process.session in sessions]

    def _start(self, name: str, command: list[str], ui_port: int) -> ServerProcess:
        home = str(Path(pyspark.__file__).parent)
        environment = {**os.environ, "SPARK_HOME": home, "SPARK_LOCAL_DIRS": str(self.folder / "local")}
        environment |= {"PYSPARK_PYTHON": sys.executable, "SPARK_NO_DAEMONIZE": "1"}
        log = str(self.folder / f"{name}.log")
        command = ["/bin/sh", "-c", _INTO_A_FILE, "sh", log, f"{home}/bin/spark-class", *command]
        return self._stack.enter_context(ServerProcess(command, f"http://127.0.0.1:{ui_port}/json/", environment))

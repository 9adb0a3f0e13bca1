"""A temporary PostgreSQL server from the machine's own binaries."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def postgres_binaries() -> Path | None:
    """The folder with `initdb` and `pg_ctl`, on PATH or in Debian's location, or None."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


@contextmanager
def postgres(binaries: Path) -> Iterator[dict[str, Any]]:
    """Run a server with an empty database; yields its host, port, username, password and database."""
    with socket.socket() as free, tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            shutil.chown(folder, "postgres")
            as_user = {"user": "postgres", "cwd": folder}
        data = f"{folder}/data"

        def run(program: str, *arguments: str) -> None:
            command = [str(binaries / program), "-D", data, *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **as_user)

        run("initdb", "--auth=trust", "--username=postgres", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        run("pg_ctl", "--wait", "--log", f"{folder}/log", "-o", options, "start")
        try:
            yield {
                "host": "127.0.0.1",
                "port": port,
                "username": "postgres",
                "password": "trusted",
                "database": "postgres",
            }
        finally:
            run("pg_ctl", "--mode=immediate", "stop")

"""The simulated Heap bucket: a server, the dumps on it, and the configuration that reads them."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.clock import Clock
from sandbox.heap.s3 import MotoS3
from sandbox.heap.s3_server import S3Server
from sandbox.heap.world import BUCKET, HeapWorld

SEED = 20260101


@dataclass(frozen=True)
class HeapBucket:
    """A bucket on a running server, with the dumps that its world has written so far."""

    world: HeapWorld
    server: S3Server
    directory: Path
    """The folder with the bucket's content."""

    @property
    def config(self) -> dict[str, Any]:
        """A configuration of source-heap that reads this bucket."""
        return self.server.config

    def sync(self) -> list[str]:
        """Upload the dumps up to the clock's current time; call this after advancing the clock.

        Returns:
            the keys of the new objects, manifests last.
        """
        self.world.write(self.directory)
        return self.server.upload(self.directory)


@contextmanager
def heap_bucket(
    clock: Clock,
    *,
    seed: int = SEED,
    scale: float = 1.0,
    server: Callable[[str], AbstractContextManager[S3Server]] = MotoS3,
    name: str = BUCKET,
    adds_columns: bool = False,
) -> Iterator[HeapBucket]:
    """Serve a Heap bucket, filled up to the clock's current time, while the context lasts.

    With `adds_columns`, the two nights to come add columns to two tables.
    """
    world = HeapWorld(clock, seed=seed, scale=scale, bucket=name, adds_columns=adds_columns)
    with tempfile.TemporaryDirectory(prefix="heap-bucket-") as directory, server(world.bucket) as running:
        bucket = HeapBucket(world, running, Path(directory))
        bucket.sync()
        yield bucket

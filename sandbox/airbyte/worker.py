"""The threads of one attempt.

One reads the source, one processes its messages, one writes to the destination, one reads the destination. Bounded
queues connect them, so that a slow destination slows the source down.
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from sandbox.airbyte.attempt import Failure
from sandbox.airbyte.destination_side import DestinationSide
from sandbox.airbyte.process import EXIT_SECONDS
from sandbox.airbyte.protocol import SyncRuleError
from sandbox.airbyte.queues import MessageQueue
from sandbox.airbyte.runs import Sync
from sandbox.airbyte.source_side import SourceSide

CLOSING_SECONDS = 60.0
"""Seconds after which a terminated connector that is still running is killed."""
_MOST_FAILURES = 10


class Worker:
    """Runs the threads of one attempt to completion."""

    def __init__(
        self, sync: Sync, source_side: SourceSide, destination_side: DestinationSide, tail: random.Random | None
    ) -> None:
        """Connect both sides.

        Args:
            sync: the running connectors and their attempt.
            source_side: handles the source's messages.
            destination_side: handles the destination's messages.
            tail: chooses how many undelivered messages of a failed source still arrive; None delivers all.
        """
        self._sync = sync
        self._source_side, self._destination_side = source_side, destination_side
        self._tail = tail
        self._cancelled = threading.Event()
        self._read, self._processed = MessageQueue(self._cancelled), MessageQueue(self._cancelled)
        self._reasons: list[Failure] = []
        self._closing = _timer(CLOSING_SECONDS, self._end_both)
        self._closing_lock = threading.Lock()

    def run(self, during: Callable[[Sync], None] | None, seconds: float) -> None:
        """Run all threads to completion and finish the attempt."""
        limit = _timer(seconds, lambda: self._time_out(seconds))
        limit.start()
        threads = (lambda: self._read_source(during), self._process, self._write, self._read_destination)
        with ThreadPoolExecutor(len(threads)) as pool:
            futures = [pool.submit(self._guarded, thread) for thread in threads]
        limit.cancel()
        self._closing.cancel()
        for future in futures:
            future.result()
        self._close()

    def _guarded(self, thread: Callable[[], None]) -> None:
        try:
            thread()
        except SyncRuleError as error:
            self._fail("replication", str(error))
        except BaseException:
            self._fail("replication", "The harness itself failed")
            raise

    def _read_source(self, during: Callable[[Sync], None] | None) -> None:
        source, attempt = self._sync.source, self._sync.attempt
        try:
            for line in source.lines():
                message = self._source_side.read(line)
                if message:
                    self._read.put((line, message))
                if during:
                    during(self._sync)
        except SyncRuleError as error:
            self._fail("replication", str(error))
        finally:
            attempt.source_exit_code = source.wait(EXIT_SECONDS)
            if attempt.source_exit_code is None:
                source.kill()
            if attempt.source_exit_code != 0:
                self._reason("source", f"Source process exited with non-zero exit code {attempt.source_exit_code or 1}")
                self._drop_tail()
            elif source.output_closed:  # it may have written everything, but not all of it was read
                self._reason("replication", "The source's output was closed before its end")
                self._drop_tail()
            self._read.close()

    def _drop_tail(self) -> None:
        if self._tail:
            self._processed.keep_only(self._tail.randint(0, len(self._read) + len(self._processed)))

    def _process(self) -> None:
        try:
            for line, message in self._read:
                for forwarded in self._source_side.process(line, message):
                    self._processed.put(forwarded)
            whole = self._sync.attempt.source_exit_code == 0 and not self._sync.source.output_closed
            if whole and not self._cancelled.is_set():
                for forwarded in self._source_side.finish():
                    self._processed.put(forwarded)
        finally:
            self._processed.close()

    def _write(self) -> None:
        destination = self._sync.destination
        try:
            for line in self._processed:
                destination.write(line)
                if not len(self._processed):
                    destination.flush()
            destination.close_input()
        except BrokenPipeError:
            self._fail("destination", "The destination stopped reading its input")
        finally:
            with suppress(BrokenPipeError):
                destination.close_input()

    def _read_destination(self) -> None:
        destination = self._sync.destination
        for line in destination.lines():
            self._destination_side.read(line)
        code = self._sync.attempt.destination_exit_code = destination.wait(60)
        if code != 0:
            self._fail("destination", f"Destination process exited with non-zero exit code {code}")

    def _reason(self, origin: str, message: str) -> None:
        self._reasons.append(Failure(origin, "system_error", message))

    def _fail(self, origin: str, message: str) -> None:
        """End the sync for this reason: terminate the source and close the destination's input."""
        self._reason(origin, message)
        with self._closing_lock:
            if not self._cancelled.is_set():
                self._cancelled.set()
                self._closing.start()
        self._sync.source.terminate()

    def _end_both(self) -> None:
        self._sync.source.kill()
        self._sync.destination.kill()

    def _time_out(self, seconds: float) -> None:
        self._fail("replication", f"The sync took longer than {seconds:g} seconds")
        self._end_both()

    def _close(self) -> None:
        attempt, source, destination = self._sync.attempt, self._sync.source, self._sync.destination
        attempt.failures = sorted(attempt.failures, key=lambda failure: failure.emitted_at)
        attempt.failures += self._reasons[:_MOST_FAILURES]
        attempt.status = "failed" if self._reasons else "succeeded"
        attempt.stderr = [*source.stderr, *destination.stderr]
        attempt.largest_line, attempt.source_memory_mb = source.largest_line, source.peak_memory_mb
        self._source_side.settle()


def _timer(seconds: float, act: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    return timer

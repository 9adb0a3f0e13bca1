"""A lane's worker: the batches that wait for it, and their fate when the lane is closed."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from cdp_connectors.json_types import Json
from destination_segment.delivery import lanes
from destination_segment.delivery.batches import Batch
from destination_segment.delivery.lanes import Lane
from destination_segment.delivery.origin import CallOrigin, Origin
from destination_segment.delivery.verdicts import Verdicts


class Late(Future[None]):
    """Work that is done only once something waits for it."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self.work = work

    def result(self, timeout: float | None = None) -> None:
        del timeout
        self.work()
        self.set_result(None)


class LateWorker:
    def __init__(self, max_workers: int) -> None:
        assert max_workers == 1

    def submit(self, run: Callable[..., None], *arguments: Json) -> Late:
        return Late(lambda: run(*arguments))


class Client:
    """Remembers the batches that reach Segment."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_closed = False

    def send_batch(self, batch: Batch[CallOrigin]) -> None:
        assert not self.is_closed
        self.sent.append(batch.body().partition(b'"batch":')[2])

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def lane(client: Any, monkeypatch: pytest.MonkeyPatch) -> Lane:  # noqa: ANN401 # all that is used of a client
    monkeypatch.setattr(lanes, "ThreadPoolExecutor", LateWorker)
    return Lane(client, Verdicts())


def add(lane: Lane, position: int, stream: Any = None) -> None:  # noqa: ANN401 # no stream is needed here
    lane.add(b"%d" % position, CallOrigin(Origin(stream, position, position, []), "a mapping"))


def test_only_two_batches_wait_for_the_worker(lane: Lane, client: Client) -> None:
    waiting = []
    for position in range(1, 6):
        add(lane, position)
        lane.flush()
        waiting.append(position - len(client.sent))

    assert waiting == [1, 2, 2, 2, 2]
    assert lane.oldest() == 4


def test_a_flush_that_may_not_wait_leaves_the_batch_open(lane: Lane, client: Client) -> None:
    for position in (1, 2):
        add(lane, position)
        lane.flush_if_free(position)
    add(lane, 3)
    lane.flush_if_free(3)
    assert client.sent == []

    lane.drain()
    assert client.sent == [b"[1]}", b"[2]}", b"[3]}"]
    assert lane.oldest() is None


def test_a_batch_is_sent_early_only_for_a_state_after_its_first_call(lane: Lane, client: Client) -> None:
    add(lane, 5)
    lane.flush_if_free(4)
    add(lane, 6)
    lane.flush_if_free(5)
    add(lane, 7)
    assert lane.oldest() == 5

    lane.drain()
    assert client.sent == [b"[5,6]}", b"[7]}"]


def test_a_closed_lane_discards_waiting_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    is_discarded = threading.Event()

    class Worker(ThreadPoolExecutor):
        def submit(self, run: Callable[..., None], *arguments: Json, **_: Json) -> Future[None]:
            work = super().submit(run, *arguments)
            work.add_done_callback(lambda work: is_discarded.set() if work.cancelled() else None)
            return work

    class SlowClient(Client):
        def send_batch(self, batch: Batch[CallOrigin]) -> None:
            super().send_batch(batch)
            is_discarded.wait(10)

    monkeypatch.setattr(lanes, "ThreadPoolExecutor", Worker)
    client: Any = SlowClient()
    lane = Lane(client, Verdicts())
    for position in (1, 2):
        add(lane, position)
        lane.flush()
    lane.close()

    assert client.sent == [b"[1]}"]
    assert client.is_closed

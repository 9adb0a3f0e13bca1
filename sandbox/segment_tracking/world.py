"""The messages that the simulated workspace has received through the Tracking API."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sandbox.clock import Clock
from sandbox.segment_tracking.behaviour import Behaviour

Message = dict[str, Any]

CALL_TYPES = frozenset({"identify", "track", "group", "page", "screen", "alias"})
MOST_ITEMS = 2_500
_LONGEST_MESSAGE_ID = 100
_NEEDED = {"track": "event", "group": "groupId", "alias": "previousId"}


@dataclass
class Received:
    """One source's messages, in order of arrival."""

    messages: list[Message] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


class TrackingWorld:
    """The messages of each source, without duplicates, and the numbers of those that no source shows.

    As with Segment, the sender does not learn about the latter: the response is still 200. Safe to use from several
    threads.

    Attributes:
        rejected: the number of dropped messages by reason.
        behaviour: the switches of the API.
        keeps_messages: whether messages are kept or only counted, for large volumes.
    """

    def __init__(self, clock: Clock, sources: Callable[[], Iterable[dict[str, Any]]]) -> None:
        """Receive messages for the sources that `sources` returns at the time of a request."""
        self._clock = clock
        self._sources = sources
        self._received: dict[str, Received] = {}
        self._lock = Lock()
        self.rejected: Counter[str] = Counter()
        self.keeps_messages = True
        self.behaviour = Behaviour()

    @property
    def count(self) -> int:
        """The number of messages that the sources show."""
        with self._lock:
            return sum(len(received.ids) for received in self._received.values())

    @property
    def messages(self) -> list[Message]:
        """Every message that a source shows, by source, in the order of arrival."""
        with self._lock:
            return [message for received in self._received.values() for message in received.messages]

    @property
    def write_key(self) -> str:
        """The write key of an enabled source."""
        keys: Iterable[str] = (key for source in self._sources() if source["enabled"] for key in source["writeKeys"])
        return next(iter(keys))

    def clear(self) -> None:
        """Delete all messages and counts."""
        with self._lock:
            self._received.clear()
            self.rejected.clear()

    def receive(self, write_key: str, messages: list[Message]) -> None:
        """Receive the messages of one request."""
        with self._lock:
            source = next((source for source in self._sources() if write_key in source["writeKeys"]), None)
            if len(messages) > MOST_ITEMS:
                self.rejected["too many items"] += len(messages)
            elif source is None:
                self.rejected["unknown write key"] += len(messages)
            elif not source["enabled"]:
                self.rejected["source disabled"] += len(messages)
            else:
                for message in messages:
                    self._take(self._received.setdefault(source["id"], Received()), message)

    def _take(self, received: Received, message: Message) -> None:
        flaw = _flaw(message)
        if flaw:
            self.rejected[flaw] += 1
            return
        identifier = message.setdefault("messageId", f"api-{len(received.ids)}")
        if identifier in received.ids:
            self.rejected["repeated messageId"] += 1
            return
        received.ids.add(identifier)
        if not self.keeps_messages:
            return
        now = self._clock.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        received.messages.append({"timestamp": now, **message, "receivedAt": now})


def _flaw(message: Message) -> str | None:
    kind = message.get("type")
    needed = _NEEDED.get(str(kind), "")
    if kind not in CALL_TYPES:
        return "unknown type"
    if not (message.get("userId") or message.get("anonymousId")):
        return "no_user_anon_id"
    if needed and not message.get(needed):
        return f"no {needed}"
    return "messageId too long" if len(str(message.get("messageId", ""))) >= _LONGEST_MESSAGE_ID else None

"""The messages that the simulated workspace received through the Tracking API."""

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
    """One source's messages, in the order in which they arrived."""

    messages: list[Message] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


class TrackingWorld:
    """The messages of each source, without repetitions, and what became of those that no source shows.

    As with Segment, nobody who sends learns of the latter: the answer is 200 all the same. Requests may arrive, and
    the messages be looked at, in several threads at a time.

    Attributes:
        rejected: how many messages were dropped, by reason.
        behaviour: how the API answers.
        keeps_messages: whether messages are kept, or only counted: for volumes that need not be looked at.
    """

    def __init__(self, clock: Clock, sources: Callable[[], Iterable[dict[str, Any]]]) -> None:
        """Receive for the sources that the workspace has at the time."""
        self._clock = clock
        self._sources = sources
        self._received: dict[str, Received] = {}
        self._lock = Lock()
        self.rejected: Counter[str] = Counter()
        self.keeps_messages = True
        self.behaviour = Behaviour()

    @property
    def count(self) -> int:
        """How many messages the sources show."""
        with self._lock:
            return sum(len(received.ids) for received in self._received.values())

    @property
    def messages(self) -> list[Message]:
        """Every message that a source shows, by source, in the order of arrival."""
        with self._lock:
            return [message for received in self._received.values() for message in received.messages]

    @property
    def write_key(self) -> str:
        """The write key of a source that is switched on."""
        keys: Iterable[str] = (key for source in self._sources() if source["enabled"] for key in source["writeKeys"])
        return next(iter(keys))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._received.clear()
            self.rejected.clear()

    def receive(self, write_key: str, messages: list[Message]) -> None:
        """Take the messages of one request."""
        with self._lock:
            source = next((source for source in self._sources() if write_key in source["writeKeys"]), None)
            if len(messages) > MOST_ITEMS:
                self.rejected["too many items"] += len(messages)
            elif source is None:
                self.rejected["unknown write key"] += len(messages)
            elif not source["enabled"]:
                self.rejected["source switched off"] += len(messages)
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

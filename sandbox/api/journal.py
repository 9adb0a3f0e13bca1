"""What the sandbox was asked."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LONGEST = 100_000


@dataclass(frozen=True)
class Request:
    """One request that the sandbox answered."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int

    @property
    def parameters(self) -> dict[str, str]:
        """The query parameters; of a repeated name, the last."""
        return dict(self.query)


class Journal:
    """The latest requests, oldest first."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque(maxlen=_LONGEST)

    def __iter__(self) -> Iterator[Request]:
        return iter(tuple(self._requests))

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, request: Request) -> None:
        """Append a request."""
        self._requests.append(request)

    def clear(self) -> None:
        """Forget everything."""
        self._requests.clear()


class JournalMiddleware:
    """Writes every answered request into a `Journal`."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and note its status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
                self._journal.add(Request(scope["method"], scope["path"], tuple(query), message["status"]))
            await send(message)

        await self._app(scope, receive, note)

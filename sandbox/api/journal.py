"""The request log."""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LONGEST = 100_000


@dataclass(frozen=True)
class Request:
    """One request to the sandbox."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int

    @property
    def parameters(self) -> dict[str, str]:
        """The query parameters; the last value of a repeated one."""
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

    def by_path(self, prefix: str, paths: Iterable[str]) -> Counter[str]:
        """Return the number of requests per path, with ids in braces: `/campaigns/{campaign_id}/actions`.

        Paths are below `prefix`, a regular expression such as `/segment/(us|eu)`; other paths are not counted.
        """
        patterns = {path: re.compile(prefix + re.sub("{.+?}", "[^/]+", path)) for path in paths}
        found = (next((path for path in patterns if patterns[path].fullmatch(each.path)), None) for each in self)
        return Counter(path for path in found if path)

    def clear(self) -> None:
        """Delete all requests."""
        self._requests.clear()


class JournalMiddleware:
    """Adds every request to a `Journal`."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and log it with its status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
                self._journal.add(Request(scope["method"], scope["path"], tuple(query), message["status"]))
            await send(message)

        await self._app(scope, receive, note)

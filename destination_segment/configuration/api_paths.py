"""Paths of API calls, in the forms that users paste."""

from urllib.parse import urlsplit

_UNUSABLE_SEGMENTS = frozenset({"", ".", ".."})


def api_path(pasted: str, base_url: str) -> str:
    """A pasted path relative to a base URL: `/v1/group`, `/v1/group/`, `v1/group` and the full URL all give `/group`.

    Raises:
        ValueError: it is a URL of another host.
    """
    base = urlsplit(base_url)
    scheme, separator, rest = pasted.partition("://")
    if separator and scheme.lower() in {"http", "https"}:
        host, _, pasted = rest.partition("/")
        if host.lower() != base.netloc.lower():
            raise ValueError(f"is a URL of a host other than {base.netloc}; enter only the path")
    pasted, question_mark, query = pasted.partition("?")
    prefix, path = base.path.strip("/"), pasted.strip("/")
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        path = path[len(prefix) :].strip("/")
    else:
        version = prefix.rpartition("/")[2]
        if version and path.startswith(f"{version}/"):
            path = path[len(version) :].strip("/")
    return f"/{path}{question_mark}{query}"


def require_usable_segments(path: str) -> None:
    """Check that no segment of a path is empty or relative.

    Raises:
        ValueError: a segment is empty, `.` or `..`, which would send the request to another resource.
    """
    if not _UNUSABLE_SEGMENTS.isdisjoint(path.partition("?")[0].removeprefix("/").split("/")):
        raise ValueError("contains a segment that is empty, '.' or '..'")

"""Paths of API calls, as people paste them."""

from urllib.parse import urlsplit

_UNUSABLE_SEGMENTS = frozenset({"", ".", ".."})


def api_path(pasted: str, base_url: str) -> str:
    """The path below a base URL that `/v1/group`, `/v1/group/`, `v1/group` and the full URL mean: `/group`.

    Raises:
        ValueError: it is the URL of another host.
    """
    base = urlsplit(base_url)
    scheme, separator, rest = pasted.partition("://")
    if separator and scheme.lower() in {"http", "https"}:
        host, _, pasted = rest.partition("/")
        if host.lower() != base.netloc.lower():
            raise ValueError(f"is a URL of another host than {base.netloc}; enter the path alone")
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
    """Accept a path whose every segment names something.

    Raises:
        ValueError: a segment is empty, `.` or `..`, so that the request would go to another resource.
    """
    if not _UNUSABLE_SEGMENTS.isdisjoint(path.partition("?")[0].removeprefix("/").split("/")):
        raise ValueError("has a segment that is empty, '.' or '..'")

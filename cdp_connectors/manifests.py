"""Reading a resolved manifest: the endpoint, the parents and the rate limit of each stream."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from airbyte_cdk.sources.declarative.interpolation import InterpolatedString

from cdp_connectors.json_types import Json

Component: TypeAlias = Mapping[str, Json]

_PARAMETER = re.compile(r"\{\{ *parameters\['(\w+)'\][^}]*(?:\}[^}]+)*?\}\}")


def declared(entries: list[Component]) -> Iterator[Component]:
    """The streams of a manifest's list, including those behind a setting; the first of several with the same name."""
    streams: dict[str, Component] = {}
    for stream in (each for entry in entries for each in entry.get("streams", [entry])):
        streams.setdefault(stream["name"], stream)
    yield from streams.values()


def parents(stream: Component) -> Iterator[str]:
    """The names of the streams for each of whose rows a stream makes a request."""
    for router in routers(stream["retriever"].get("partition_router")):
        inner = router.get("underlying_partition_router", router)
        yield from (config["stream"]["name"] for config in inner.get("parent_stream_configs", []))


def endpoint(stream: Component) -> str:
    """Method and path after the API's version, with the names of placeholders in braces, as the manifest writes it."""
    requester = simple_retriever(stream["retriever"])["requester"]
    return f"{requester['http_method']} /{requester['$parameters']['endpoint']}"


def limit_per_minute(stream: Component, manifest: Component) -> int | None:
    """The endpoint's own limit, if the budget has one."""
    path = endpoint(stream).partition(" ")[2]
    for policy in manifest["api_budget"]["policies"]:
        if any(re.search(matcher["url_path_pattern"], path) for matcher in policy["matchers"]):
            return int(InterpolatedString.create(str(policy["rates"][0]["limit"]), parameters={}).eval({}))
    return None


def simple_retriever(retriever: Component) -> Component:
    """The retriever that makes the requests: the given one, or the one inside a custom retriever."""
    held = (part for part in retriever.values() if isinstance(part, dict) and "requester" in part)
    return retriever if "requester" in retriever else next(held)


def routers(given: Component | list[Component] | None) -> list[Component]:
    """Return the partition routers of a retriever, without the unions around them."""
    listed = given if isinstance(given, list) else [given] if given else []
    return [inner for router in listed for inner in routers(router.get("partition_routers")) or [router]]


def resolved(template: str, parameters: Component) -> str:
    """Fill in the parameters of a template; other placeholders stay."""
    return _PARAMETER.sub(lambda match: str(parameters[match[1]]), template)

"""Mutated responses: content that no vendor documents, but may send one day.

`python -m campaign.mutations --connector segment --responses 10000` reads every stream repeatedly, with a share of all
responses changed. Two kinds of syncs alternate. In *harmless* ones, individual values in records change their type or
size, fields disappear or are added, and every row must still arrive. In *hostile* ones anything may change, including
envelope, keys and encoding; a stream may then fail, but with a message, without a traceback and in a bounded number of
requests. With Heap's bucket, one kind only corrupts Avro files, and a stream that completes must have as many rows as
without corruption; the other also corrupts manifests and listings.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from campaign.case import SCALES, Stage
from campaign.forked import ForkedConnector
from campaign.oracle import MOST_SECONDS, STACKS_SECONDS, breaches_of_attempt
from campaign.proxy import FaultProxy, Response
from campaign.surroundings import ACCELERATED, ask_for_stacks, surroundings
from campaign.vendors import JsonObject, Vendor, Vendors, rows_by_key
from campaign.zygote import Zygote
from cdp_connectors.json_types import Json
from sandbox.airbyte import Attempt, BulkCdkLike, configured, run_sync

Chance = random.Random
_SHARE = 0.3
_VITAL = re.compile(
    r"(^|_)(id|ids|key|token|next|current|type|types|name|slug|email|actions|variants|status|state|time|period)$"
    r"|Id$|Ids$|Key$|At$|_at$|Time$|Start$|End$|date|created|updated|timestamp|pagination|total|period|granularity|scheme"
    r"|^hidden$",
    re.IGNORECASE,
)
"""Fields that identify, order or paginate rows, or refer to other rows; changing one makes a different row."""
_HUGE = "x" * 100_000
_VALUES: tuple[Json, ...] = (
    None,
    True,
    0,
    -1,
    2**53 + 1,
    2**63,
    -(2**63),
    10**30,
    1e308,
    1e-320,
    "",
    "0",
    _HUGE,
    "\ud7ff\u0000\u2028",
)
_SHAPES: tuple[Json, ...] = ([], {}, [[]], [None], {"": None}, [{"id": {}}])
_MOST_REQUESTS = 20_000
_AVRO = b"Obj\x01"
_SYNCS_OF_A_BUCKET = 8


class Mutator:
    """Changes a share of the responses, depending on their numbers and the seed."""

    def __init__(self, seed: int, vital: Collection[str], *, hostile: bool, files_only: bool = False) -> None:
        """Draw changes.

        Args:
            seed: determines all changes.
            vital: names of fields that harmless changes leave alone, in addition to those that match `_VITAL`.
            hostile: whether anything may change.
            files_only: whether only Avro files may change.
        """
        self.mutated = 0
        self._seed, self._vital, self._hostile, self._files_only = seed, frozenset(vital), hostile, files_only

    def __call__(self, number: int, response: Response) -> None:
        """Change the response with this number, or leave it unchanged."""
        chance = Chance(f"{self._seed} {number}")
        if response.status >= 400 or chance.random() > _SHARE:  # noqa: PLR2004 # only successes
            return
        if self._files_only and not response.body.startswith(_AVRO):
            return
        try:
            body = json.loads(response.body)
        except ValueError:
            changed = _corrupted(response.body, chance) if self._hostile else response.body
        else:
            if self._hostile and chance.random() < 0.2:  # noqa: PLR2004 # one in five
                changed = _encoded(json.dumps(body, ensure_ascii=False), chance)
            else:
                changed = json.dumps(self._changed(body, chance)).encode(errors="surrogatepass")
        self.mutated += changed != response.body
        response.body = changed

    def _changed(self, body: Json, chance: Chance) -> Json:
        places = list(self._places(body))
        if not places:
            return body
        parent, name = chance.choice(places)
        kind = chance.choice(("value", "shape", "missing", "extra"))
        if kind == "missing" and isinstance(parent, dict):
            del parent[name]
        elif kind == "extra" and isinstance(parent, dict):
            parent[f"new_{chance.randrange(100)}"] = chance.choice((*_VALUES, *_SHAPES))
        else:
            parent[name] = chance.choice(_VALUES if kind == "value" else _SHAPES)
        return body

    def _places(self, value: Json, depth: int = 0) -> Iterator[tuple[Json, Json]]:
        """The members that may change, with their parents: all of them, or those of records that are not vital."""
        if isinstance(value, dict):
            for name, member in value.items():
                in_record = depth >= 2 and not isinstance(member, dict | list)  # noqa: PLR2004 # below the list of records
                if self._hostile or (in_record and not self._is_vital(name)):
                    yield value, name
                if self._hostile or not self._is_vital(name) or isinstance(member, list):
                    yield from self._places(member, depth + 1)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if self._hostile:
                    yield value, index
                yield from self._places(item, depth + 1)

    def _is_vital(self, name: str) -> bool:
        return name in self._vital or _VITAL.search(name) is not None


def _encoded(text: str, chance: Chance) -> bytes:
    return chance.choice(
        (
            text.encode("utf-16"),
            b"\xef\xbb\xbf" + text.encode(),
            text.encode()[: chance.randrange(len(text) + 1)],
            text.encode().replace(b'":', b'"\xff:', 1),
            b"NaN" if chance.random() < 0.5 else b"",  # noqa: PLR2004 # either
            text.encode() * 2,
        )
    )


def _corrupted(body: bytes, chance: Chance) -> bytes:
    if not body:
        return body
    changed, place = bytearray(body), chance.randrange(len(body))
    match chance.choice(("flip", "cut", "insert", "zeros")):
        case "flip":
            changed[place] ^= 1 << chance.randrange(8)
        case "cut":
            del changed[place:]
        case "insert":
            changed[place:place] = chance.randbytes(chance.randrange(1, 50))
        case "zeros":
            changed[place : place + 20] = bytes(len(changed[place : place + 20]))
    return bytes(changed)


def breaches_of_mutated(
    attempt: Attempt, catalog: Mapping[str, Json], destination: BulkCdkLike, served: Vendor, *, hostile: bool
) -> Iterator[str]:
    """Rows that a harmless sync lost; a failed sync is a finding too, since nothing vital was changed."""
    if hostile:
        return
    if attempt.status != "succeeded":
        yield f"a harmless change failed the sync: {attempt.messages[:2]}"
        return
    for stream in (each["stream"] for each in catalog["streams"]):
        missing = served.truth(stream).keys() - rows_by_key(destination.table(stream["name"]), stream).keys()
        if missing:
            yield f"{stream['name']}: {len(missing)} rows lost, for example {min(missing)}"


def run(connector: str, seed: int, stage: Stage) -> tuple[int, list[str]]:
    """Run one sync of all streams, or several of a bucket; returns the number of mutated responses and the findings."""
    with (
        stage.vendors.serve(seed, SCALES[connector]) as served,
        FaultProxy(served.url) as proxy,
        tempfile.TemporaryDirectory(prefix="campaign-") as folder,
    ):
        env = surroundings(Path(folder), served.connector_now)
        config: JsonObject = served.config(proxy.url)
        source = ForkedConnector(served.package, config, env, stage.zygote)
        discovered = stage.catalog or source.discover()
        if connector == "heap":
            return _run_bucket(seed, source, configured(discovered), served, proxy)
        stage.catalog = discovered
        catalog = configured(discovered)
        vital = {
            path[0] for each in catalog["streams"] for path in (*each["primary_key"], each["cursor_field"] or [""])
        }
        hostile = bool(seed % 2)
        mutator = Mutator(seed, vital, hostile=hostile)
        attempt, destination, breaches = _sync(source, catalog, served, proxy, mutator)
        breaches += breaches_of_mutated(attempt, catalog, destination, served, hostile=hostile)
        return mutator.mutated, breaches


def _run_bucket(
    seed: int, source: ForkedConnector, catalog: JsonObject, served: Vendor, proxy: FaultProxy
) -> tuple[int, list[str]]:
    whole, _, breaches = _sync(source, catalog, served, proxy, None)
    mutated = 0
    for number in range(_SYNCS_OF_A_BUCKET):
        mutator = Mutator(1_000 * seed + number, (), hostile=True, files_only=bool(number % 2))
        attempt, _, found = _sync(source, catalog, served, proxy, mutator)
        mutated += mutator.mutated
        for stream, status in attempt.source_status.items() if number % 2 else ():
            if status == "COMPLETE" and attempt.emitted[stream] != whole.emitted[stream]:
                found.append(f"{stream}: {attempt.emitted[stream]} rows instead of {whole.emitted[stream]}")
        breaches += [f"sync {number}: {each}" for each in found]
    return mutated, breaches


def _sync(
    source: ForkedConnector,
    catalog: JsonObject,
    served: Vendor,
    proxy: FaultProxy,
    mutator: Mutator | None,
) -> tuple[Attempt, BulkCdkLike, list[str]]:
    destination = BulkCdkLike()
    proxy.schedule.begin(())
    proxy.schedule.mutate = mutator
    watch = ask_for_stacks(STACKS_SECONDS, source.sessions)
    attempt = run_sync(source, destination, catalog, strict=False, seconds=MOST_SECONDS)
    watch.cancel()
    breaches = [*breaches_of_attempt(attempt, served.secrets, source.sessions, invalid=mutator is not None)]
    breaches += [f"skipped line: {line}" for line in attempt.skipped_lines] + attempt.checksum_errors
    if proxy.schedule.requests > _MOST_REQUESTS:
        breaches.append(f"{proxy.schedule.requests} requests")
    return attempt, destination, breaches


def main(act: Callable[[str], None] = print) -> int:
    """Run syncs until enough responses were mutated; returns 1 if there are findings."""
    parser = argparse.ArgumentParser(prog="python -m campaign.mutations", description=__doc__)
    parser.add_argument("--connector", choices=("segment", "customerio", "heap"), required=True)
    parser.add_argument("--responses", type=int, default=10_000)
    parser.add_argument("--seed", type=int, help="run only this sync")
    parser.add_argument("--first", type=int, default=0, help="the first sync, if no seed is given")
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    seed, total, found = options.first if options.seed is None else options.seed, 0, 0
    ends = time.monotonic() + options.minutes * 60
    with Zygote(f"source_{options.connector}", ACCELERATED) as zygote, Vendors(options.connector) as vendors:
        stage = Stage(zygote, vendors)
        while total < options.responses and time.monotonic() < ends:
            mutated, breaches = run(options.connector, seed, stage)
            total, found = total + mutated, found + bool(breaches)
            act(f"{options.connector} {seed}: {mutated} responses mutated, {total} in all, {len(breaches)} findings")
            for breach in breaches[:8]:
                act(f"  FOUND {breach[:900]}")
            seed += 1
            if options.seed is not None:
                break
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

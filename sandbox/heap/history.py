"""Nine nights of dumps, with every known behaviour of the Heap export, in chronological order."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import islice
from random import Random
from uuid import UUID

from sandbox.heap import columns as cols
from sandbox.heap.columns import Columns, Row
from sandbox.heap.dumps import AvroFile, Dump, TableDump
from sandbox.heap.visitors import Visitors

NEWEST_NIGHT = 6
"""The newest night whose dump is complete when the sandbox starts."""
DUMP_FINISHES = timedelta(hours=2)
"""After midnight, UTC."""
_LATE = timedelta(days=2, hours=6)

INTERNAL_TABLE = "_event_metadata"


@dataclass(frozen=True)
class Night:
    """Makes the table dumps of one night; `day` is the last day whose events they contain."""

    visitors: Visitors
    dump_id: int
    day: int
    seed: int
    adds_columns: bool = False
    """True if the nights to come add columns to tables."""

    @property
    def today(self) -> range:
        """The single day that an incremental dump adds."""
        return range(self.day, self.day + 1)

    @property
    def so_far(self) -> range:
        """All days so far, as in a full dump."""
        return range(self.day + 1)

    def users(self, columns: Columns, *, full: bool = False) -> TableDump:
        """Users who are new or have changed; all users in a full dump."""
        days = self.so_far if full else self.today
        return self.table("users", columns, lambda: self.visitors.users(days), full=full)

    def migrations(self) -> TableDump:
        """All merges, since this table is never incremental."""
        return self.table("user_migrations", cols.MIGRATIONS, lambda: self.visitors.migrations(self.so_far), full=True)

    def sessions(self) -> TableDump:
        """Sessions, a table that never had a full dump."""
        return self.table("sessions", cols.SESSIONS, lambda: self.visitors.sessions(self.today))

    def events(
        self, table: str, columns: Columns, every: int = 1, *, full: bool = False, parts: int = 1, extra: str = ""
    ) -> TableDump:
        """The rows of an event, the day's first one twice; `extra` is a column that only the manifest lists."""
        days = self.so_far if full else self.today

        def rows() -> Iterator[Row]:
            yield from islice(self.visitors.events(days, every), 1)
            yield from self.visitors.events(days, every)

        dump = self.table(table, columns, rows, full=full, parts=parts)
        return replace(dump, columns=(*dump.columns, extra)) if extra else dump

    def table(
        self, name: str, columns: Columns, rows: Callable[[], Iterable[Row]], *, full: bool = False, parts: int = 1
    ) -> TableDump:
        """A table with its rows distributed over `parts` files."""
        files = tuple(
            AvroFile(self._key(name, part), columns, partial(_share, rows, part, parts), null_first=self.day == 0)
            for part in range(parts)
        )
        return TableDump(name, not full, files, tuple(columns))

    def with_new(self, columns: Columns, **new: str) -> Columns:
        """These columns, and the `new` ones if nights add columns."""
        return {**columns, **new} if self.adds_columns else columns

    def with_stray(self, dump: TableDump) -> TableDump:
        """The same table, with a file that a failed attempt of this night left behind."""
        stray = replace(dump.files[0], key=self._key(dump.table, 0, attempt=1))
        return replace(dump, strays=(stray,))

    def _key(self, table: str, part: int, attempt: int = 0) -> str:
        random = Random(f"{self.seed}/{self.dump_id}/{table}/{part}/{attempt}")
        name = f"part-{part:05}-{UUID(int=random.getrandbits(128), version=4)}-c000.avro"
        if self.day == 0 and table == "pageviews":
            name = f"{random.getrandbits(56):014x}.avro"  # the naming of the export's early years
        return f"sync_{self.dump_id}/{table}/{name}"


def heap_history(visitors: Visitors, *, first_dump_id: int, seed: int, adds_columns: bool = False) -> list[Dump]:
    """All dumps, including future ones, in the order of their nights."""

    def night(offset: int, day: int) -> Night:
        return Night(visitors, first_dump_id + offset, day, seed, adds_columns)

    return [
        _dump(night(0, 0), _first(night(0, 0))),
        _dump(night(1, 1), _second(night(1, 1))),
        _dump(night(2, 2), _third(night(2, 2))),
        _dump(night(4, 3), [night(4, 3).sessions()], fails=True),
        _dump(night(5, 3), _fourth(night(5, 3)), prefix=""),
        _dump(night(7, 4), _late(night(7, 4)), delay=_LATE),
        _dump(night(9, 5), _newest(night(9, 5))),
        _dump(night(10, 6), _first_to_come(night(10, 6))),
        _dump(night(11, 6), _initial_sync(night(11, 6)), delay=timedelta(hours=1)),
        _dump(night(12, 7), _second_to_come(night(12, 7))),
    ]


def _dump(
    night: Night, tables: list[TableDump], *, prefix: str = "sync_", fails: bool = False, delay: timedelta | None = None
) -> Dump:
    written = night.visitors.first_day + timedelta(days=night.day + 1) + DUMP_FINISHES / 2
    finished = written + DUMP_FINISHES / 2 + (delay or timedelta(0))
    manifest_key = f"manifests/{prefix}{night.dump_id}.json"
    return Dump(night.dump_id, written, None if fails else finished, tuple(tables), manifest_key)


def _first(night: Night) -> list[TableDump]:
    return [
        night.migrations(),
        night.users(cols.USERS_FIRST, full=True),
        night.sessions(),
        night.events("pageviews", cols.PAGEVIEWS_FIRST, full=True, parts=2),
        night.events("sign_up_click_link", cols.CLICKS, 5, full=True),
        night.events("checkout_complete_order_web_", cols.ORDERS, 9, full=True),
        night.events("search_submit_results", cols.SEARCHES, 7, full=True),
        night.events("trial_reset_started", cols.PLAIN, 50, full=True),
        TableDump("newsletter_banner_dismissed", incremental=False, columns=tuple(cols.CLICKS)),
    ]


def _second(night: Night) -> list[TableDump]:
    return [
        night.migrations(),
        night.users(cols.USERS_FIRST),
        night.sessions(),
        night.events("pageviews", cols.PAGEVIEWS_FIRST, parts=12),
        night.events("sign_up_click_link", cols.CLICKS, 5),
        night.events("_key_events__order_completed_", cols.ORDERS_FIRST, 11, full=True),
        night.events("checkout_complete_order_web_", cols.ORDERS, 9),
        night.events("search_submit_results", cols.SEARCHES, 7),
        night.events("trial_reset_started", cols.PLAIN, 50),
    ]


def _third(night: Night) -> list[TableDump]:
    """A table is added, one is emptied by a full dump without files, and one has a file without rows."""
    return [
        night.migrations(),
        night.users(cols.USERS),
        night.sessions(),
        night.with_stray(night.events("pageviews", cols.PAGEVIEWS_FIRST)),
        night.events("sign_up_click_link", cols.CLICKS, 5),
        night.events("_key_events__order_completed_", cols.ORDERS_FIRST, 11),
        night.events("checkout_complete_order_web_", cols.ORDERS, 9),
        night.events("search_submit_results", cols.SEARCHES, 7),
        night.events(cols.LONG_TABLE, cols.EXPERIMENTS, 13, full=True),
        TableDump("trial_reset_started", incremental=False, columns=tuple(cols.PLAIN)),
        night.table("legacy_form_submit", cols.CLICKS, lambda: (), full=True),
        night.table(INTERNAL_TABLE, cols.METADATA, _event_metadata, full=True),
    ]


def _fourth(night: Night) -> list[TableDump]:
    """A full resync after an event's definition changed; a table is disabled; types and columns change."""
    return [
        night.migrations(),
        night.users(cols.USERS),
        night.sessions(),
        night.events("pageviews", cols.PAGEVIEWS),
        night.events("sign_up_click_link", cols.CLICKS, 5),
        night.events("checkout_complete_order_web_", cols.ORDERS, 4, full=True, parts=3, extra="promo_code"),
        night.events("search_submit_results", cols.SEARCHES, 7),
        night.events(cols.LONG_TABLE, cols.EXPERIMENTS, 13),
        TableDump("newsletter_banner_dismissed", incremental=True, columns=tuple(cols.CLICKS)),
        TableDump("legacy_form_submit", incremental=True, columns=tuple(cols.CLICKS), names_files=False),
    ]


def _late(night: Night) -> list[TableDump]:
    """A dump whose manifest appears after those of later ones, when its data for searches has been superseded."""
    return [
        night.migrations(),
        night.users(cols.USERS),
        night.sessions(),
        night.events("pageviews", cols.PAGEVIEWS),
        night.events("checkout_complete_order_web_", cols.ORDERS, 4, extra="promo_code"),
        night.events("search_submit_results", cols.SEARCHES, 7),
    ]


def _newest(night: Night) -> list[TableDump]:
    """Searches are resynced as well, and columns are added to and removed from two tables."""
    return [
        night.migrations(),
        night.users(cols.USERS_LATER),
        night.sessions(),
        night.events("pageviews", cols.PAGEVIEWS_LATER, parts=2),
        night.events("sign_up_click_link", cols.CLICKS, 5),
        night.events("checkout_complete_order_web_", cols.ORDERS, 4, extra="promo_code"),
        night.events("search_submit_results", cols.SEARCHES, 6, full=True),
        night.events(cols.LONG_TABLE, cols.EXPERIMENTS, 13),
        night.table(INTERNAL_TABLE, cols.METADATA, _event_metadata, full=True),
    ]


def _first_to_come(night: Night) -> list[TableDump]:
    """A new table, and new rows for the one that was emptied."""
    return [
        night.migrations(),
        night.users(cols.USERS_LATER),
        night.sessions(),
        night.events("pageviews", night.with_new(cols.PAGEVIEWS_LATER, target_text="string")),
        night.events("sign_up_click_link", cols.CLICKS, 5),
        night.events("checkout_complete_order_web_", cols.ORDERS, 4),
        night.events("search_submit_results", cols.SEARCHES, 6),
        night.events("trial_reset_started", cols.PLAIN, 50),
        night.events("feature_tour_finished", cols.CLICKS, 17, full=True),
    ]


def _initial_sync(night: Night) -> list[TableDump]:
    """A newly enabled table: its history is a separate dump, the second of the day."""
    return [night.events("support_chat_opened", cols.CLICKS, 15, full=True)]


def _second_to_come(night: Night) -> list[TableDump]:
    """One more full resync."""
    return [
        night.migrations(),
        night.users(cols.USERS_LATER),
        night.sessions(),
        night.events("pageviews", night.with_new(cols.PAGEVIEWS_LATER, target_text="string", cart_value="double")),
        night.events("sign_up_click_link", cols.CLICKS, 3, full=True, parts=2),
        night.events("checkout_complete_order_web_", cols.ORDERS, 4),
        night.events("search_submit_results", night.with_new(cols.SEARCHES, logged_in="boolean"), 6),
        night.events("feature_tour_finished", cols.CLICKS, 17),
    ]


def _share(rows: Callable[[], Iterable[Row]], part: int, parts: int) -> Iterable[Row]:
    return islice(rows(), part, None, parts)


def _event_metadata() -> list[Row]:
    return [{"event_name": "Sign Up - Click Link", "definition": "{}", "row_count": 1}]

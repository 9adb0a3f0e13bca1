"""The recipes in the package's README, executed from its text.

PyPI has no target with MERGE for these versions of Spark: Delta and Iceberg are on Maven. Spark therefore parses the
statements of the upsert, and DuckDB, which has the same MERGE, executes them.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession

from sandbox.heap.bucket import HeapBucket
from spark_tests.world import World, options, rows, snapshot

ROOT = Path(__file__).parents[1]
EXAMPLE_OPTIONS = {
    "bucket": "heap-rs3-example",
    "roleArn": "arn:aws:iam::123456789012:role/heap",
    "externalId": "…",
}


def recipe(title: str, page: str = "pyspark_heap") -> str:
    blocks: list[str] = re.findall(r"```(?:python|sql)\n(.*?)```", (ROOT / page / "README.md").read_text(), re.DOTALL)
    return next(block for block in blocks if re.match(rf"(#|--) recipe: {title}\n", block))


def heap(bucket: HeapBucket) -> dict[str, str]:
    given = options(bucket, "")
    del given["table"]
    return given


def test_the_batch_recipe_writes_the_current_rows(spark: SparkSession, full: HeapBucket, tmp_path: Path) -> None:
    text = recipe("batch")
    assert repr(EXAMPLE_OPTIONS).replace("'", '"') in text
    text = text.replace(repr(EXAMPLE_OPTIONS).replace("'", '"'), repr(heap(full)))
    text = text.replace('parquet("pageviews")', f"parquet({str(tmp_path / 'pageviews')!r})")
    exec(text, {"spark": spark})  # noqa: S102 # the README's own text
    written = spark.read.parquet(str(tmp_path / "pageviews")).collect()
    assert rows(written) == rows(full.world.expected("pageviews"))


def test_the_view_recipe_returns_the_newest_row_of_each_user(spark: SparkSession, full: HeapBucket) -> None:
    example = ", ".join(f"{name} '{value}'" for name, value in EXAMPLE_OPTIONS.items())
    text = recipe("view")
    assert example in text
    text = text.replace(example, ", ".join(f"{name} '{value}'" for name, value in heap(full).items()))
    for statement in text.split(";")[:-1]:
        spark.sql(statement)
    newest = newest_rows(full.world.expected("users"), "user_id")
    assert keyed(rows(spark.table("users").collect())) == keyed(rows(newest))


def newest_rows(expected: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    newest: dict[Any, dict[str, Any]] = {}
    for row in expected:
        if row[key] not in newest or row["_heap_dump_id"] >= newest[row[key]]["_heap_dump_id"]:
            newest[row[key]] = row
    return list(newest.values())


def keyed(found: list[str]) -> list[dict[str, Any]]:
    """Rows without their file: a row can be in two files of one dump, and either file may be kept."""
    return [{k: v for k, v in json.loads(row).items() if k != "_heap_file"} for row in found]


class Target:
    """A target with MERGE, which executes statements that Spark has parsed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connection = duckdb.connect()
        self.before_deleting: Callable[[], None] = lambda: None
        original = SparkSession.sql

        def sql(session: SparkSession, statement: str, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 # as Spark's
            (verb, _) = statement.split(maxsplit=1)
            if verb not in {"MERGE", "DELETE"}:
                return original(session, statement, *arguments, **more)
            session._jsparkSession.sessionState().sqlParser().parsePlan(statement)  # noqa: SLF001 # Spark's own parser
            if verb == "DELETE":
                self.before_deleting()
            else:
                self.connection.register("newest", session.table("newest").toArrow())
            return self.connection.execute(statement)

        monkeypatch.setattr(SparkSession, "sql", sql)

    def rows(self, table: str) -> list[dict[str, Any]]:
        cursor = self.connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 # a name of these tests
        names = [column[0] for column in cursor.description or ()]
        return keyed(rows(dict(zip(names, row, strict=True)) for row in cursor.fetchall()))


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    target = Target(monkeypatch)
    yield target
    target.connection.close()


def upsert(spark: SparkSession, world: World, target: Target, table: str, key: str, folder: Path) -> None:
    empty = spark.createDataFrame([], snapshot(world.bucket, table).schema)
    target.connection.register("empty", empty.toArrow())
    target.connection.execute(f'CREATE TABLE IF NOT EXISTS "{table}" AS SELECT * FROM empty')  # noqa: S608 # as above
    text = recipe("upsert").replace("pageviews", table).replace("event_id", key)
    text = text.replace("checkpoints/upsert", str(folder / table))
    exec(text, {"spark": spark, "heap": heap(world.bucket)})  # noqa: S102 # the README's own text


@pytest.mark.parametrize(("table", "key"), [("users", "user_id"), ("sign_up_click_link", "event_id")])
def test_the_upsert_recipe_keeps_the_newest_row_of_each_key(
    spark: SparkSession, world: World, target: Target, tmp_path: Path, table: str, key: str
) -> None:
    for _ in range(3):
        upsert(spark, world, target, table, key, tmp_path)
        expected = keyed(rows(newest_rows(world.bucket.world.expected(table), key)))
        assert target.rows(table) == expected
        world.night()


def test_upsert_keeps_voided_rows_until_those_of_the_resync_have_arrived(
    spark: SparkSession, world: World, target: Target, tmp_path: Path
) -> None:
    table = "sign_up_click_link"
    world.night()
    before = keyed(rows(newest_rows(world.bucket.world.expected(table), "event_id")))
    target.before_deleting = world.night  # it brings a full resync of the table
    upsert(spark, world, target, table, "event_id", tmp_path)
    after = keyed(rows(newest_rows(world.bucket.world.expected(table), "event_id")))
    assert target.rows(table) == before != after


def migrations() -> list[tuple[int, int]]:
    """Chains, one of them of 300 merges, cycles of several sizes, tails that lead into them, and random graphs."""
    random = Random(17)  # noqa: S311 # no secret
    chain = [(number, number + 1) for number in range(1_000, 1_300)]
    shuffled = random.sample(range(2_000, 2_100), 100)
    cycles = [(3_000, 3_000), (3_010, 3_011), (3_011, 3_010), *((3_020 + n, 3_020 + (n + 1) % 7) for n in range(7))]
    rising = [(4_000 + n, 4_001 + n) for n in range(200)] + [(4_200, 4_150)]
    falling = [(5_200 - n, 5_199 - n) for n in range(200)] + [(5_000, 5_000)]
    graphs = []
    for graph in range(40):
        size = random.randrange(1, 40)
        ids = range(10_000 + 100 * graph, 10_000 + 100 * graph + size)
        graphs += [(user, random.choice(ids)) for user in ids if random.random() < 0.8]
    pairs = [*chain, *pairwise(shuffled), *cycles, *rising, *falling, *graphs]
    return random.sample(pairs, len(pairs))


def test_the_identities_recipe_returns_the_same_as_the_sql_recipe(spark: SparkSession, full: HeapBucket) -> None:
    scope: dict[str, Any] = {"spark": spark, "heap": heap(full)}
    exec(recipe("identities"), scope)  # noqa: S102 # the README's own text
    real = [(row["from_user_id"], row["to_user_id"]) for row in full.world.expected("user_migrations")]
    made = migrations()
    frame = spark.createDataFrame(made, "from_user_id long, to_user_id long")
    assert resolved_in_sql(made) == sorted(map(tuple, scope["resolved_users"](frame).collect()))
    assert resolved_in_sql(real) == sorted(map(tuple, spark.table("resolved_users").collect()))


def resolved_in_sql(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    views, _, _ = recipe("identities", "source_heap").partition("CREATE OR REPLACE VIEW resolved_pageviews")
    with duckdb.connect() as connection:
        columns = "from_user_id BIGINT, to_user_id BIGINT, _heap_dump_id BIGINT"
        connection.execute(f"CREATE TABLE user_migrations ({columns})")
        connection.executemany("INSERT INTO user_migrations VALUES (?, ?, 1)", pairs)
        tables = "SELECT 'user_migrations' AS \"table\", 1 AS first_valid_dump_id"
        connection.execute(f"CREATE TABLE _heap_tables AS {tables}")
        connection.execute(views)
        found = connection.execute("SELECT user_id, resolved_user_id FROM resolved_users").fetchall()
    return sorted((int(user), int(resolved)) for user, resolved in found)

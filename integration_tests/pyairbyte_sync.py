"""Script for an interpreter with PyAirbyte: sync one source into a database, and count the keys in its tables.

Standard input is JSON: `name`, `executable`, `config`, `cache` (the arguments of DuckDBCache or PostgresCache), `keys`
(the primary key of each stream to read), `types_as_declared` (whether to keep pandas from guessing types, and to pass
objects in columns of any type to psycopg2 as JSON) and `counts`, the file for the number of distinct keys in each
stream's table, as JSON.
"""

import functools
import json
import sys
from pathlib import Path

import airbyte as ab
import pandas as pd
from airbyte.caches import DuckDBCache, PostgresCache
from psycopg2.extensions import register_adapter
from psycopg2.extras import Json
from sqlalchemy import func, select

task = json.load(sys.stdin)
if task["types_as_declared"]:
    pd.read_json = functools.partial(pd.read_json, convert_dates=False, dtype=False)
    for kind in (dict, list):
        register_adapter(kind, Json)
cache = (DuckDBCache if "db_path" in task["cache"] else PostgresCache)(**task["cache"])
source = ab.get_source(task["name"], local_executable=task["executable"], config=task["config"])
source.check()
source.select_streams(list(task["keys"]))
result = source.read(cache=cache)
counts = {}
with cache.get_sql_engine().connect() as connection:
    for stream, dataset in result.streams.items():
        columns = dataset.to_sql_table().columns
        keys = select(*(columns[name.lower()] for name in task["keys"][stream])).distinct().subquery()
        counts[stream] = connection.execute(select(func.count()).select_from(keys)).scalar()
Path(task["counts"]).write_text(json.dumps(counts))

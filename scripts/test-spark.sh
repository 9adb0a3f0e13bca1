#!/bin/sh
# Run the tests of pyspark_heap with each given PySpark version (default: all), each in its own environment in build/,
# created from virtual environment $1. Types are checked against the newest.
set -eu
main=$1
shift
[ $# -gt 0 ] || set -- 4.0.5 4.1.4 4.3.0
for version in "$@"; do
    if [ "${version#4.3}" != "$version" ]; then
        if ! "$main/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            echo "PySpark $version needs Python 3.11 or newer: skipped" >&2
            continue
        fi
    fi
    echo "PySpark $version"
    sh scripts/spark-venv.sh "$main" "$version"
    python=build/spark-$version/bin/python
    if [ "${version#4.3}" != "$version" ]; then # earlier releases lack optional imports of the package
        "$main/bin/mypy" --python-executable "$python" --follow-imports silent -p pyspark_heap -p spark_tests
    fi
    "$python" -m pytest -W default spark_tests # PySpark leaves sockets to the garbage collector
done

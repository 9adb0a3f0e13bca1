#!/bin/sh
# Run the tests of pyspark_heap with each PySpark named (default: all), each in an environment in build/, made from
# virtual environment $1. The types are checked against the newest.
set -eu
main=$1
shift
[ $# -gt 0 ] || set -- 4.0.5 4.1.4 4.3.0
for version in "$@"; do
    if [ "${version#4.3}" != "$version" ]; then
        if ! "$main/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            echo "PySpark $version needs Python 3.11 or newer: left out" >&2
            continue
        fi
    fi
    echo "PySpark $version"
    sh scripts/spark-venv.sh "$main" "$version"
    python=build/spark-$version/bin/python
    if [ "${version#4.3}" != "$version" ]; then # its earlier releases lack what the package imports where it is there
        "$main/bin/mypy" --python-executable "$python" --follow-imports silent -p pyspark_heap -p spark_tests
    fi
    "$python" -m pytest -W default spark_tests # PySpark leaves sockets to the collector
done

#!/bin/sh
# Run the tests of pyspark_heap with each PySpark named (default: all), each in an environment in build/, made by uv of
# virtual environment $1. Needs Java 17 or newer.
set -eu
uv=$1/bin/uv
python=$1/bin/python
shift
if ! java -version >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
            openjdk-17-jre-headless
    else
        echo "Spark needs Java 17. On Debian and Ubuntu: apt install openjdk-17-jre-headless" >&2
        exit 1
    fi
fi
[ -x "$uv" ] || "$python" -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
[ $# -gt 0 ] || set -- 4.0.5 4.1.4 4.3.0
for version in "$@"; do
    if [ "${version#4.3}" != "$version" ] && ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        echo "PySpark $version needs Python 3.11 or newer: left out" >&2
        continue
    fi
    venv=build/spark-$version
    [ -x "$venv/bin/python" ] || "$uv" venv --quiet --python "$python" "$venv"
    "$uv" pip install --quiet --python "$venv/bin/python" --requirement requirements/spark.txt
    "$uv" pip install --quiet --python "$venv/bin/python" "pyspark==$version"
    "$uv" pip install --quiet --python "$venv/bin/python" --no-deps --editable .
    "$venv/bin/python" -c 'import airbyte_cdk' 2>/dev/null && { echo "airbyte-cdk came along" >&2; exit 1; }
    echo "PySpark $version"
    "$venv/bin/python" -m pytest -W default spark_tests # PySpark leaves sockets to the collector
done

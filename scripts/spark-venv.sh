#!/bin/sh
# Create the environment build/spark-$2 with PySpark $2, using uv from virtual environment $1. Needs Java 17 or newer,
# which is installed with apt if that is available and the user is root.
set -eu
uv=$1/bin/uv
python=$1/bin/python
venv=build/spark-$2
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
[ -x "$venv/bin/python" ] || "$uv" venv --quiet --python "$python" "$venv"
"$uv" pip install --quiet --python "$venv/bin/python" --requirement requirements/spark.txt
"$uv" pip install --quiet --python "$venv/bin/python" "pyspark==$2"
"$uv" pip install --quiet --python "$venv/bin/python" --no-deps --editable .
if "$venv/bin/python" -c 'import airbyte_cdk' 2>/dev/null; then
    echo "airbyte-cdk was installed too, but pyspark_heap must not need it" >&2
    exit 1
fi

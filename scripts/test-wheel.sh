#!/bin/sh
# Build the wheel with the interpreter of virtual environment $1, install it from the lock into a new one in build/, and
# run `spec` of every connector from outside the project.
set -eu
root=$(pwd)
rm -rf build/wheel
mkdir -p build/wheel
"$1/bin/python" -m pip wheel -qq --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/wheel .
"$1/bin/python" -m venv build/wheel/venv
bin=$root/build/wheel/venv/bin
"$bin/python" -m pip install -qq --disable-pip-version-check --require-hashes --requirement requirements/heap.txt
"$bin/python" -m pip install -qq --disable-pip-version-check --no-deps build/wheel/*.whl
cd /
for name in $(sed -nE 's/^([a-z-]+) = "[a-z_]+\.run:run"$/\1/p' "$root/pyproject.toml"); do
    "$bin/$name" spec | grep -q '"type":"SPEC"'
    echo "$name: spec works from the wheel"
done

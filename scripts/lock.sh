#!/bin/sh
# Resolve pyproject.toml into requirements/, for all supported Pythons at once, with hashes and no index URL.
set -eu
bin=$1/bin
"$bin/python" -m pip install --quiet --disable-pip-version-check 'uv>=0.9'

compile() {
    output=$1
    shift
    "$bin/uv" pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-emit-package cdp-connectors \
        --custom-compile-command 'make lock' --output-file "requirements/$output" "$@"
}

compile dev.txt pyproject.toml --all-extras --group dev
compile http.txt pyproject.toml --extra airbyte --constraint requirements/dev.txt
compile destination.txt pyproject.toml --extra airbyte --extra object-storage --constraint requirements/dev.txt
compile heap.txt pyproject.toml --extra heap --constraint requirements/dev.txt
compile spark.txt pyproject.toml --extra spark --group spark --constraint requirements/dev.txt
compile build.txt --group pyproject.toml:build --constraint requirements/dev.txt
compile pyairbyte.txt --group pyproject.toml:pyairbyte --no-strip-extras

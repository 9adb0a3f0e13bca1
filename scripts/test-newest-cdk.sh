#!/bin/sh
# Run the unit tests against the newest airbyte-cdk, regardless of pyproject.toml, in build/newest-cdk. A failing
# test named test_the_cdk_… means that a repair in cdp_connectors/cdk_repairs is no longer needed.
set -eu
venv=build/newest-cdk
sh scripts/create-venv.sh "$venv"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --upgrade airbyte-cdk
"$venv/bin/python" -m pip show airbyte-cdk | sed -n 's/^Version: /airbyte-cdk /p'
"$venv/bin/python" -m pytest unit_tests --numprocesses auto

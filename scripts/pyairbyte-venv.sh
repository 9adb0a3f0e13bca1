#!/bin/sh
# Create build/pyairbyte, the virtual environment with PyAirbyte, if it does not exist.
set -eu
venv=build/pyairbyte
for candidate in python3.12 python3.11 python3.10 python3; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "No Python between 3.10 and 3.12 was found. PyAirbyte needs one." >&2
    exit 1
fi
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --upgrade 'pip>=24'
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes --requirement requirements/pyairbyte.txt

#!/bin/sh
# Create the virtual environment $1 and install the locked development dependencies and the project.
set -eu
venv=$1

supported() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' 2>/dev/null
}

for candidate in ${PYTHON3:-} python3 python3.13 python3.12 python3.11 python3.10; do
    if supported "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "No Python between 3.10 and 3.13 was found. Install one, or name one with PYTHON3=/path/to/python." >&2
    exit 1
fi

echo "Setting up $venv with $("$python" --version) (once, a minute or two)"
rm -rf "$venv"
if ! "$python" -m venv "$venv"; then
    echo "$python cannot create a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2
    exit 1
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

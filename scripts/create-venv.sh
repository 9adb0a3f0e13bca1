#!/bin/sh
# Create the virtual environment $1 if it does not exist, and install the locked development dependencies and the project.
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
    echo "No Python between 3.10 and 3.13 was found. Install one, or set PYTHON3=/path/to/python." >&2
    exit 1
fi

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "Creating $venv with $("$python" --version)"
    if ! "$python" -m venv --clear "$venv"; then
        echo "$python cannot create a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
fi
# Debian 12's pip (23.0) cannot read the metadata of every locked package.
if ! "$venv/bin/python" -c 'import pip, sys; sys.exit(int(pip.__version__.split(".")[0]) < 24)'; then
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --upgrade pip
fi
echo "Installing the locked dependencies into $venv (a minute or two the first time)"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .

#!/bin/sh
# Mutation testing with mutmut, in a copy of this folder: every surviving mutant is printed as a diff.
#   sh scripts/test-mutants.sh VENV [positions|pagination|states|delivery]
set -eu
venv=$(cd "$1" && pwd)
only=${2:-}
tool=$PWD/build/mutants/tool
[ -d "$tool" ] || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --target "$tool" 'mutmut>=3.8,<4'

mutate() {
    name=$1 sources=$2 tests=$3
    if [ -n "$only" ] && [ "$only" != "$name" ]; then return; fi
    copy=build/mutants/$name
    rm -rf "$copy" && mkdir -p "$copy"
    git ls-files -z | tar --null --files-from=- -cf - | tar -xf - -C "$copy"
    {
        echo '[tool.mutmut]'
        echo 'source_paths = ["cdp_connectors", "source_segment", "source_customerio", "source_heap", "destination_segment"]'
        echo "only_mutate = [$(printf '"%s", ' $sources)]"
        echo "pytest_add_cli_args_test_selection = [$(printf '"unit_tests/%s", ' $tests)]"
        echo 'timeout_multiplier = 4.0'
        echo 'also_copy = ["unit_tests", "sandbox", "campaign", "scripts", "benchmarks", "integration_tests", "pyspark_heap"]'
    } >>"$copy/pyproject.toml"
    # A few drawn examples are enough to kill a mutant; thousands would be slow.
    sed -i.kept -E 's/^HISTORIES = .*/HISTORIES = 30/; s/max_examples=[0-9]+/max_examples=60/' "$copy"/unit_tests/source_heap/*.py
    (
        cd "$copy"
        PYTHONPATH=$tool "$venv/bin/python" -m mutmut run
        PYTHONPATH=$tool "$venv/bin/python" -m mutmut results | while read -r mutant _; do
            PYTHONPATH=$tool "$venv/bin/python" -m mutmut show "${mutant%:}"
        done
    )
}

mutate positions 'source_heap/positions.py' 'source_heap/test_positions.py source_heap/test_between.py'
mutate pagination 'cdp_connectors/pagination.py source_customerio/components/paging.py' \
    'cdp_connectors/test_pagination.py source_customerio/test_activities.py source_customerio/test_activities_resumed.py'
mutate states 'cdp_connectors/states.py source_heap/components/states.py source_segment/components/states.py
    source_customerio/components/state.py' \
    'cdp_connectors/test_states.py source_heap/test_states.py source_segment/test_components.py
    source_customerio/test_state.py'
mutate delivery 'destination_segment/delivery/lanes.py destination_segment/delivery/writer.py' \
    'destination_segment/delivery destination_segment/calls/test_api_call.py destination_segment/calls/test_conditions.py'

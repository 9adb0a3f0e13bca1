import sys

import pytest

from benchmarks.measure import CommandFailedError, measure

THREE_RECORDS = """
import sys, time
for piece in ('{"type":"RECORD"}\\n{"type": "REC', 'ORD"}\\n{"type":"STATE"}\\n', '{"type":"RECORD"}\\n'):
    sys.stdout.write(piece)
    sys.stdout.flush()
    time.sleep(0.2)
"""
CHILD_WITH_MEMORY = """
import subprocess, sys
program = 'import time; data = bytearray(100_000_000); sum(range(10_000_000)); time.sleep(1)'
subprocess.run([sys.executable, '-c', program], check=True)
"""


def test_records_are_counted_across_chunks_of_the_output() -> None:
    cost = measure([sys.executable, "-c", THREE_RECORDS])
    assert cost.records == 3
    assert cost.output == b""


def test_kept_lines_are_complete_across_chunks_of_the_output() -> None:
    everything = measure([sys.executable, "-c", THREE_RECORDS], keep=b"").output
    assert [line[:8] for line in everything.splitlines()] == [b'{"type":', b'{"type":', b'{"type":', b'{"type":']
    assert measure([sys.executable, "-c", THREE_RECORDS], keep=b"STATE").output == b'{"type":"STATE"}\n'


def test_the_cost_includes_child_processes() -> None:
    cost = measure([sys.executable, "-c", CHILD_WITH_MEMORY])
    assert cost.peak_rss_mb > 100
    assert cost.cpu_seconds > 0.1


def test_a_failed_command_is_reported_with_its_output() -> None:
    with pytest.raises(CommandFailedError, match="the reason"):
        measure([sys.executable, "-c", "import sys; sys.exit('the reason')"])

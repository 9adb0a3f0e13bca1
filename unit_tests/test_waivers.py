"""A waiver of a rule names the rule and then the reason, as in `# noqa: ARG002 # the CDK passes it by name`."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [path for path in sorted(ROOT.glob("*/**/*.py")) if path.relative_to(ROOT).parts[0] not in {".venv", "build"}]
WAIVER = re.compile(r"# (?:noqa|type: ignore)\b.*")
WITH_A_REASON = re.compile(r"# (?:noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*|type: ignore\[[a-z-]+(?:, ?[a-z-]+)*\]) # \S.*")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_waiver_has_its_reason(path: Path) -> None:
    if path == Path(__file__):
        return
    waivers = WAIVER.findall(path.read_text())
    assert [waiver for waiver in waivers if not WITH_A_REASON.fullmatch(waiver)] == []

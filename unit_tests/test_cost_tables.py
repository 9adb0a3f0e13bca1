"""The costs of a sync: one formula per stream, and the table in the README that is computed from them."""

import pytest

from scripts.cost_tables import CUSTOMERIO_LARGE as LARGE
from scripts.cost_tables import PACKAGES, ROOT, rewritten
from scripts.stream_tables import streams
from source_customerio.costs import COSTS


def test_every_stream_has_a_cost() -> None:
    assert {stream.stream.strip("`") for stream in streams("source_customerio")} == set(COSTS)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_readme_has_the_current_cost_table(package: str) -> None:
    assert (ROOT / package / "README.md").read_text() == rewritten(package)


def test_the_metrics_of_a_quiet_workspace_cost_less_than_a_tenth_of_requesting_everything() -> None:
    sizes = {name: rows for name, rows in LARGE.sizes.items() if not name.startswith("active_")}
    quiet = type(LARGE)({**sizes, "changing_newsletters": 300})
    daily = sum(cost.daily(quiet) for name, cost in COSTS.items() if name.endswith("_metrics"))
    below = sum(sizes[name] for name in ("actions_of_campaigns", "variants_of_newsletters", "actions_of_broadcasts"))
    parents = sum(sizes[name] for name in ("campaigns", "newsletters", "broadcasts", "transactional_messages"))

    assert daily * 10 < 2 * below + 2 * parents + sizes["campaigns"]

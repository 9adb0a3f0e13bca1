"""`python -m scripts.cost_table`: rewrite the table of requests in Customer.io's README from the formulas."""

from pathlib import Path

from cdp_connectors.costs import minutes
from source_customerio.costs import COSTS, LARGE, REQUESTS_PER_MINUTE

README = Path(__file__).parent.parent / "source_customerio" / "README.md"
START, END = "<!-- costs:start -->", "<!-- costs:end -->"


def table() -> str:
    """One row per stream, the most expensive first; streams that take less than ten requests are one row."""
    costs = {name: (round(cost.first(LARGE)), round(cost.daily(LARGE))) for name, cost in COSTS.items()}
    small = [name for name, both in costs.items() if max(both) < 10]  # noqa: PLR2004 # as the docstring says
    rows = sorted(((name, *both) for name, both in costs.items() if name not in small), key=lambda row: -row[2])
    lines = [
        "| stream | requests, first sync | minutes | requests, later | minutes |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| `{name}` | {first:,} | {minutes(first, REQUESTS_PER_MINUTE):,.1f} "
        f"| {later:,} | {minutes(later, REQUESTS_PER_MINUTE):,.1f} |"
        for name, first, later in rows
    ]
    total = sum(costs[name][0] for name in small)
    lines.append(f"| {len(small)} lists of configuration together | {total:,} | 0.1 | {total:,} | 0.1 |")
    return "\n".join(lines)


def rewritten() -> str:
    """The README with the table as it should be."""
    text = README.read_text()
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(rewritten())

"""The common parts of the entries of all three catalogs."""

from sandbox.api.timeline import Record, Seeded

_OPTIONS = ("apiKey", "endpoint", "events", "region", "sampleRate", "version")
_DEFAULTS = {"array": [], "boolean": False, "map": {}, "number": 2, "select": "events", "string": ""}


def entry(chance: Seeded, identifier: str, name: str, description: str) -> Record:
    """Return the members that every entry has; the smaller logos may be absent, empty or null."""
    slug = "-".join(name.lower().replace("(", "").replace(")", "").split())
    logos: Record = {"default": f"https://cdn.example.com/logos/{slug}-default.svg"}
    for size in ("mark", "alt"):
        if chance.happens(0.7):
            logos[size] = chance.choice((f"https://cdn.example.com/logos/{slug}-{size}.svg", "", None))
    return {"id": identifier, "name": name, "slug": slug, "description": description, "logos": logos}


def options(chance: Seeded, count: int) -> list[Record]:
    """Return options, most with a default, of any type."""
    generated = []
    for name in chance.sample(_OPTIONS, k=count):
        kind = "string" if name == "apiKey" else chance.choice(tuple(_DEFAULTS))
        option: Record = {"name": name, "type": kind, "required": name == "apiKey"}
        if chance.happens(0.8):
            option |= {"description": f"The {name} of your account.", "defaultValue": _DEFAULTS[kind], "label": name}
        generated.append(option)
    return generated

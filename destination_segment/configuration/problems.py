"""Messages for invalid configurations."""

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cdp_connectors.json_types import Json


def problems(model: type[BaseModel], config: Mapping[str, Json], error: ValidationError) -> str:
    """One sentence per problem: the field and what is expected of it, without quoting any value."""
    return " ".join(dict.fromkeys(_message(model, config, problem) for problem in error.errors()))


def _message(model: type[BaseModel], config: Mapping[str, Json], problem: ErrorDetails) -> str:
    place, complaint = _place(config, problem), _complaint(problem)
    if not place:
        return f"{complaint}."
    if place[0] == "mappings" and len(place) > 1:
        index = int(place[1])
        mapping = config["mappings"][index]
        stream = mapping.get("stream") if isinstance(mapping, dict) else None
        subject = f"Mapping {index + 1}" + (f" (stream '{stream}')" if isinstance(stream, str) and stream else "")
        return f"{subject}: '{'.'.join(place[2:])}' {complaint}." if place[2:] else f"{subject} {complaint}."
    field = model.model_fields.get(place[0])
    title = field.title if field and field.title else place[0]
    return f"{title}: '{'.'.join(place[1:])}' {complaint}." if place[1:] else f"{title} {complaint}."


def _place(config: Json, problem: ErrorDetails) -> list[str]:
    """The path to a problem, without the names of union members that pydantic inserts."""
    place = []
    *_, last = problem["loc"] or ("",)
    for step in problem["loc"]:
        if isinstance(config, dict) and (step in config or (step == last and problem["type"] == "missing")):
            config = config.get(step)
        elif isinstance(config, list) and isinstance(step, int):
            config = config[step]
        else:
            continue
        place.append(str(step))
    return place


def _complaint(problem: ErrorDetails) -> str:
    context = problem.get("ctx", {})
    message = problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    complaints = {
        "missing": "is required",
        "union_tag_not_found": f"has no {context.get('discriminator')}",
        "union_tag_invalid": f"must be one of {context.get('expected_tags')}",
        "extra_forbidden": "is not a field of this mapping",
        "too_short": "must not be empty",
        "string_too_short": "must not be empty",
        "model_type": "must be an object",
        "model_attributes_type": "must be an object",
    }
    return complaints.get(problem["type"], message)

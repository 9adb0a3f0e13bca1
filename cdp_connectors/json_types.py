"""JSON values as types."""

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value of any kind: null, a boolean, a number, a string, or an array or object of such values.

Code that reads one checks its kind at run time. A recursive type would force a cast at every such place and would not
make any of them safer.
"""

JsonObject: TypeAlias = dict[str, Json]

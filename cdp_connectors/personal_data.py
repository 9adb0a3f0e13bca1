"""Removal of personal data from text for operators."""

import re

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_BODY = re.compile(r"(?P<before>(?:Response Content|Response Text|Response content is): ).*", re.DOTALL)


def without_personal_data(line: str) -> str:
    """The line without e-mail addresses and without the body of a response."""
    return _EMAIL.sub("[e-mail address]", _BODY.sub(r"\g<before>[not logged]", line))

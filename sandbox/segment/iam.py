"""Who may do what in the workspace: its users and user groups."""

from datetime import datetime, timedelta

from sandbox.segment.seeded import Dated, Record, Seeded, scaled

_JOBS = ("analyst", "engineer", "marketer", "product-manager", "support-agent", "data-steward")
_ROLES = (
    ("Workspace Owner", "WORKSPACE"),
    ("Workspace Member", "WORKSPACE"),
    ("Source Admin", "SOURCE"),
    ("Source Read-only", "SOURCE"),
    ("Warehouse Admin", "WAREHOUSE"),
    ("Function Admin", "FUNCTION"),
    ("Unify and Engage User", "SPACE"),
)
_PRODUCTION = {"key": "environment", "value": "production"}


class Iam:
    """Users and user groups; a user joins every day, the first twenty hours after `origin`."""

    def __init__(self, workspace_id: str, source_ids: list[str], origin: datetime, *, seed: int, scale: float) -> None:
        self._random = Seeded(f"{seed}/iam")
        self._workspace_id = workspace_id
        self._source_ids = source_ids
        self._role_ids = {name: self._random.identifier(27) for name, _ in _ROLES}
        past = origin - timedelta(days=400)
        joined = [self._random.moment(past, origin) for _ in range(scaled(236, scale))]
        joined += [origin + timedelta(hours=20, days=days) for days in range(30)]
        self.users = [Dated(self._user(number), moment) for number, moment in enumerate(joined, start=1)]
        self.groups = [
            Dated(self._group(number), self._random.moment(past, origin)) for number in range(1, scaled(25, scale) + 1)
        ]

    def _user(self, number: int) -> Record:
        job = self._random.choice(_JOBS)
        name = f"{job.replace('-', ' ').capitalize()} {number}"
        user: Record = {
            "id": self._random.identifier(),
            "name": "" if number % 8 == 0 else name,
            "email": f"{job}-{number}@example.com",
        }
        return user if number % 6 == 0 else user | {"permissions": self._permissions(number)}

    def _group(self, number: int) -> Record:
        group: Record = {
            "id": self._random.identifier(),
            "name": f"{self._random.choice(_JOBS).replace('-', ' ').capitalize()}s {number}",
            "memberCount": self._random.randrange(40),
        }
        return group if number % 6 == 0 else group | {"permissions": self._permissions(number)}

    def _permissions(self, number: int) -> list[Record] | None:
        if number % 5 == 0:
            return None
        return [self._permission(*role) for role in self._random.sample(_ROLES, k=number % 4)]

    def _permission(self, role: str, resource_type: str) -> Record:
        permission: Record = {"roleId": self._role_ids[role], "roleName": role}
        permission["resources"] = [self._resource(resource_type) for _ in range(1 + (resource_type == "SOURCE"))]
        return permission | self._optional_labels()

    def _resource(self, resource_type: str) -> Record:
        identifier = self._workspace_id if resource_type == "WORKSPACE" else self._random.identifier()
        if resource_type == "SOURCE":
            identifier = self._random.choice(self._source_ids)
        return {"id": identifier, "type": resource_type} | self._optional_labels()

    def _optional_labels(self) -> Record:
        if self._random.happens(0.3):
            return {}
        return {"labels": self._random.choice(([], [_PRODUCTION], [_PRODUCTION | {"description": "Live"}], None))}

"""Users and user groups of the workspace, with their permissions."""

from datetime import datetime, timedelta

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Dated, Record, visible
from sandbox.segment.workspace import Workspace

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
    """Users, user groups and invites; one user joins per day, the first twenty hours after the clock starts."""

    def __init__(self, workspace: Workspace, source_ids: list[str]) -> None:
        self._random = workspace.chance("iam")
        self._workspace_id = workspace.id
        self._source_ids = source_ids
        self._role_ids = {name: self._random.identifier(27) for name, _ in _ROLES}
        past, origin = workspace.origin - timedelta(days=400), workspace.origin
        joined = [self._random.moment(past, origin) for _ in range(workspace.scaled(236))]
        joined += [origin + timedelta(hours=20, days=days) for days in range(30)]
        self.users = [Dated(self._user(number), moment) for number, moment in enumerate(joined, start=1)]
        members = [user.record for user in self.users if user.since <= origin]
        self._members: dict[str, list[Record]] = {}
        self.groups = [
            Dated(self._group(number, members), self._random.moment(past, origin))
            for number in range(1, workspace.scaled(25) + 1)
        ]
        self._invites = [
            Dated({"email": f"invited-{number}@example.com"}, since, since + timedelta(days=7))
            for number, since in enumerate(self._invited(origin, workspace.scaled(14)), start=1)
        ]

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tags IAM Users, IAM Groups and IAM Roles."""
        return [
            Listing(
                path="/users",
                stream="users",
                key="users",
                records=lambda _, now: visible(self.users, now),
                paging=Cursors(LastNext.NULL, with_total=False),
            ),
            Listing(
                path="/groups",
                stream="groups",
                key="userGroups",
                records=lambda _, now: visible(self.groups, now),
                paging=Cursors(LastNext.EMPTY, with_total=False),
            ),
            Listing(path="/roles", stream="roles", key="roles", records=lambda *_: self._roles()),
            Listing(
                path="/invites",
                stream="invites",
                primary_key=("email",),
                key="invites",
                records=lambda _, now: self._emails(now),
                makes=_row_of_email,
            ),
            Listing(
                path="/groups/{userGroupId}/users",
                stream="group_users",
                primary_key=("groupId", "id"),
                key="users",
                records=lambda arguments, _: self._members[arguments["userGroupId"]],
                of=self._each_group,
                adds={"groupId": "userGroupId"},
            ),
            Listing(
                path="/groups/{userGroupId}/invites",
                stream="group_invites",
                primary_key=("groupId", "email"),
                key="emails",
                records=lambda arguments, now: self._emails(now, arguments["userGroupId"]),
                makes=_row_of_email,
                of=self._each_group,
                adds={"groupId": "userGroupId"},
            ),
            Listing(
                path="/users/{userId}/groups",
                stream="user_groups",
                primary_key=("userId", "id"),
                key="groups",
                records=lambda arguments, now: self._groups_of(arguments["userId"], now),
                of=lambda now: [{"userId": user["id"]} for user in visible(self.users, now)],
                adds={"userId": "userId"},
                paging=Cursors(LastNext.NULL),
            ),
        ]

    def _each_group(self, now: datetime) -> list[Arguments]:
        return [{"userGroupId": group["id"]} for group in visible(self.groups, now)]

    def _roles(self) -> list[Record]:
        return [
            {"id": self._role_ids[name], "name": name, "description": f"{name}: acts on {kind.lower()} resources."}
            for name, kind in _ROLES
        ]

    def _invited(self, origin: datetime, count: int) -> list[datetime]:
        """Return the times at which people are invited; an invite is valid for a week."""
        past = [self._random.moment(origin - timedelta(days=6), origin) for _ in range(count)]
        return past + [origin + timedelta(hours=15, days=days) for days in range(30)]

    def _emails(self, now: datetime, group_id: str | None = None) -> list[str]:
        """Return the people invited to the workspace or to a group; two of three invites are to a group."""
        invites = visible(self._invites, now)
        if group_id is None:
            return [invite["email"] for invite in invites]
        place = next(place for place, dated in enumerate(self.groups) if dated.record["id"] == group_id)
        return [
            invite["email"]
            for number, dated in enumerate(self._invites)
            if (invite := dated.record) in invites and number % 3 and number // 2 % len(self.groups) == place
        ]

    def _groups_of(self, user_id: str, now: datetime) -> list[Record]:
        return [
            {"id": group["id"], "name": group["name"]}
            for group in visible(self.groups, now)
            if any(user["id"] == user_id for user in self._members[group["id"]])
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

    def _group(self, number: int, users: list[Record]) -> Record:
        chosen = self._random.sample(users, k=min(len(users), self._random.randrange(40)))
        group: Record = {
            "id": self._random.identifier(),
            "name": f"{self._random.choice(_JOBS).replace('-', ' ').capitalize()}s {number}",
            "memberCount": len(chosen),
        }
        self._members[group["id"]] = [{name: user[name] for name in ("id", "name", "email")} for user in chosen]
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


def _row_of_email(email: str) -> list[Record]:
    return [{"email": email}]

"""Who is acting: the first argument, after the session, of every use case."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from service.kernel import clock
from service.kernel.permissions import Permission, Role, granted


class ActorKind(StrEnum):
    """The sorts of actors; `agent` acts for an enterprise, `system` is a timer or a handler."""

    GUEST = "guest"
    TALENT = "talent"
    STAFF = "staff"
    AGENT = "agent"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Post:
    """One post that a member of staff holds today."""

    department: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody in one district; a talent has a `person_id`, staff have `posts`.

    `zone` is the district's time zone, `calendar` the newest version of its calendar, `family` the
    persons whom a talent named as theirs, `own_cases` the persons on whose cases a member of staff
    may not work: themselves, their family, and whoever has a member of the family in common with
    them. All of them as of the request; guests and the system have none.
    """

    kind: ActorKind
    district: str
    account_id: UUID | None = None
    person_id: UUID | None = None
    session_id: UUID | None = None
    display_name: str = ""
    posts: tuple[Post, ...] = ()
    permissions: frozenset[Permission] = field(default=frozenset())
    zone: str | None = None
    calendar: UUID | None = None
    family: frozenset[UUID] = field(default=frozenset(), repr=False)
    own_cases: frozenset[UUID] = field(default=frozenset(), repr=False)

    @property
    def account(self) -> UUID:
        """The account of an actor that is signed in; guests and the system have none."""
        if self.account_id is None:
            raise LookupError(f"an actor of kind {self.kind} has no account")
        return self.account_id

    @property
    def person(self) -> UUID:
        """The person of a talent; nobody else acts as a person."""
        if self.person_id is None:
            raise LookupError(f"an actor of kind {self.kind} is no person")
        return self.person_id

    @property
    def rights(self) -> str:
        """What the actor's posts are, as one text: equal as long as nothing of them changes."""
        held = sorted((post.department, *sorted(post.roles)) for post in self.posts)
        return ";".join(",".join(post) for post in held)

    def local_date(self, at: datetime) -> date:
        """The date that a moment has in the actor's district; for who is signed in."""
        if self.zone is None:
            raise LookupError(f"an actor of kind {self.kind} does not know the district's zone")
        return clock.local_date(at, self.zone)

    def holds(self, department: str, role: Role) -> bool:
        """Whether one of the actor's posts has this role in this department."""
        return any(post.department == department and role in post.roles for post in self.posts)

    def departments_with(self, permission: Permission) -> frozenset[str]:
        """The departments in which a post of the actor's grants the permission by itself.

        Permissions of an actor are those of all posts together; what one post allows in its
        department says nothing of another department.
        """
        return frozenset(
            post.department for post in self.posts if permission in granted(post.roles)
        )


def guest(district: str) -> Actor:
    """Nobody in particular, looking at what is public in a district."""
    return Actor(kind=ActorKind.GUEST, district=district)


def system(district: str) -> Actor:
    """The service itself, acting for a district: timers and handlers."""
    return Actor(kind=ActorKind.SYSTEM, district=district)

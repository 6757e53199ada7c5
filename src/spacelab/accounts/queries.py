"""Reads about people, roles and teams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from spacelab.accounts import rules
from spacelab.accounts.models import AccessRequest, ApiToken, Invitation, Membership, PasswordLink, Person, Role, Team
from spacelab.kit.refusals import Forbidden, NotSignedIn

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet


def acting_people() -> QuerySet[Person]:
    """List the people who may use the platform: active, and demo people only where the demo is on."""
    active = Person.objects.filter(is_active=True)
    return active if settings.SPACELAB.demo else active.filter(is_demo=False)


def may_act(person: Person) -> bool:
    """Say whether the person may use the platform at all: see `acting_people`."""
    return person.is_active and (settings.SPACELAB.demo or not person.is_demo)


def permissions_of(person: Person | AnonymousUser) -> frozenset[str]:
    """Collect what the person's roles allow; nothing for a visitor or a deactivated account."""
    if not isinstance(person, Person) or not may_act(person):
        return frozenset()
    known = _remembered.get()
    if known is not None and person.pk in known:
        return known[person.pk]
    sets = Role.objects.filter(people=person).values_list("permissions", flat=True)
    found = frozenset(permission for permissions in sets for permission in permissions)
    if known is not None:
        known[person.pk] = found
    return found


_remembered: ContextVar[dict[int, frozenset[str]] | None] = ContextVar("permissions", default=None)


@contextmanager
def remembering_permissions() -> Iterator[None]:
    """Ask for each person's permissions once as long as the block lasts: that of one request, and no stream's."""
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)


def forget_permissions() -> None:
    """Ask again, because somebody's roles or a role have changed."""
    if (known := _remembered.get()) is not None:
        known.clear()


def may(person: Person | AnonymousUser, permission: str) -> bool:
    """Say whether one of the person's roles allows `permission`."""
    return str(permission) in permissions_of(person)


def people_with(permission: str) -> list[Person]:
    """List the people whose roles allow `permission` and who may use the platform."""
    return people_with_any([permission])


def people_with_any(permissions: Iterable[str]) -> list[Person]:
    """List the people whose roles allow one of the permissions and who may use the platform."""
    wanted = {str(one) for one in permissions}
    names = [role.name for role in Role.objects.all() if wanted & set(role.permissions)]
    return list(acting_people().filter(roles__in=names).distinct().order_by("pk"))


def signed_in(visitor: Person | AnonymousUser) -> Person:
    """Return the visitor as the person that she is, or raise `NotSignedIn`, which sends a page's visitor to sign in."""
    if not isinstance(visitor, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in, or send a token.")
    return visitor


def require(person: Person | AnonymousUser, permission: str) -> None:
    """Raise `NotSignedIn` or `Forbidden` unless one of the person's roles allows `permission`."""
    if may(person, permission):
        return
    if not isinstance(person, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in, or request access.")
    raise Forbidden(
        f"None of your roles allows “{permission}”.", advice="Ask an operator for a role that does, if you need it."
    )


def teams_of(person: Person) -> QuerySet[Team]:
    """List the teams that the person is a member of, by name."""
    return Team.objects.filter(memberships__person=person).order_by("name")


def is_member(person: Person, team: Team) -> bool:
    """Say whether the person belongs to the team."""
    return Membership.objects.filter(person=person, team=team).exists()


def find_person(username: str) -> Person | None:
    """Find a person by username, in any case; None if nobody has it."""
    return Person.objects.filter(username=username.strip().lower()).first()


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Return the display names of the people among actors of the trail, such as `person:ada`."""
    usernames = {actor.removeprefix("person:") for actor in actors if actor.startswith("person:")}
    found = Person.objects.filter(username__in=usernames)
    return {f"person:{one.username}": one.display_name for one in found}


def find_people(search: str = "") -> QuerySet[Person]:
    """List people by name, those whose name, username, email or affiliation holds `search`."""
    found = Person.objects.prefetch_related("roles").order_by("display_name", "pk")
    wanted = Q()
    for field in ("username", "display_name", "email", "affiliation"):
        wanted |= Q(**{f"{field}__icontains": search})
    return found.filter(wanted) if search else found


def demo_people() -> QuerySet[Person]:
    """List the people of the demo; none where the demo is off."""
    return acting_people().filter(is_demo=True).prefetch_related("roles").order_by("pk")


def known_permissions() -> list[str]:
    """List every permission that a role may hold: those of this release, and those that roles hold now."""
    held = [permission for row in Role.objects.values_list("permissions", flat=True) for permission in row]
    return sorted({*held, *settings.PERMISSIONS})


@dataclass(frozen=True)
class Cell:
    """Whether a role holds a permission, and whether it would on a fresh install."""

    role: str
    held: bool
    shipped: bool


@dataclass(frozen=True)
class MatrixRow:
    """One permission, what it allows to do, and which role holds it."""

    permission: str
    meaning: str
    cells: list[Cell]


def roles() -> list[Role]:
    """List the roles: those of a fresh install in their order, then those that operators added, by name."""
    order = list(settings.ROLES)
    known = sorted(Role.objects.all(), key=lambda one: one.name)
    return sorted(known, key=lambda one: order.index(one.name) if one.name in order else len(order))


def role_matrix() -> list[MatrixRow]:
    """Say for each permission which role holds it now; the order of the cells is that of `roles`."""
    named = roles()
    return [
        MatrixRow(
            one,
            settings.PERMISSIONS.get(one, ""),
            [Cell(role.name, one in role.permissions, one in settings.ROLES.get(role.name, ())) for role in named],
        )
        for one in known_permissions()
    ]


def digest_of(secret: str) -> str:
    """Return what the tables keep of a token or of a one-time link: its SHA-256, in hexadecimal."""
    return sha256(secret.encode()).hexdigest()


def valid_tokens() -> QuerySet[ApiToken]:
    """List the tokens that hold now: neither revoked nor expired, of people who may use the platform."""
    return ApiToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now(), person__in=acting_people())


def token_for(token: str, *, scope: str = "") -> ApiToken | None:
    """Find the row (with its person) of a token that holds now and has the scope, where one is asked for."""
    if not token.startswith(rules.TOKEN_PREFIX):
        return None
    row = valid_tokens().select_related("person").filter(digest=digest_of(token)).first()
    return row if row is not None and (not scope or scope in row.scopes) else None


def person_for_token(token: str, *, scope: str) -> Person | None:
    """Find whose token this is, if it holds now and has the scope."""
    row = token_for(token, scope=scope)
    return row.person if row else None


def valid_token_ids(ids: Iterable[int]) -> set[int]:
    """Return those of the token ids whose tokens hold now, in one query."""
    return set(valid_tokens().filter(pk__in=list(ids)).values_list("pk", flat=True))


def personal_tokens(person: Person) -> QuerySet[ApiToken]:
    """List the tokens that the person made, newest first, without those of workloads."""
    return person.tokens.filter(workload="").order_by("-created_at", "-pk")


def open_password_link(secret: str) -> PasswordLink | None:
    """Find a one-time link that can still be used."""
    links = PasswordLink.objects.select_related("person").filter(used_at=None, expires_at__gt=timezone.now())
    return links.filter(digest=digest_of(secret), person__is_active=True).first()


def team_for(person: Person, slug: str) -> Team | None:
    """Find a team that the person belongs to."""
    return Team.objects.filter(slug=slug, memberships__person=person).first()


def is_owner(person: Person, team: Team) -> bool:
    """Say whether the person owns the team, alone or with others."""
    return Membership.objects.filter(person=person, team=team, is_owner=True).exists()


def invitations_of(person: Person) -> QuerySet[Invitation]:
    """List the invitations that wait for the person's answer."""
    return Invitation.objects.filter(person=person).select_related("team", "invited_by").order_by("created_at")


def invitations_waiting(person: Person | AnonymousUser) -> int:
    """Count the invitations that wait for the person's answer; 0 for a visitor."""
    return Invitation.objects.filter(person=person).count() if isinstance(person, Person) else 0


def access_requests(state: str = "") -> QuerySet[AccessRequest]:
    """List the requests for access, the oldest first, in one state where given."""
    found = AccessRequest.objects.select_related("decided_by").order_by("created_at", "pk")
    return found.filter(state=state) if state else found

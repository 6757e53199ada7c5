"""Rules of accounts, tokens as others meet them, and what keeps somebody in charge."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import timezone

from spacelab.accounts import actions, queries, rules
from spacelab.accounts.models import ApiToken, Person, Role, SignInAttempt
from spacelab.accounts.rules import Scope
from spacelab.audit.actions import System
from spacelab.audit.models import Entry
from spacelab.kit.loopback import is_loopback
from spacelab.kit.refusals import Conflict, Forbidden, Invalid
from support.people import PASSWORD, make_person


@pytest.mark.parametrize("name", ["Ada", "Ægidius Þór", "王贞仪", "مريم الأسطرلابي", "کامیار می‌رود", "Γεώργιος"])
def test_names_in_any_script(name: str) -> None:
    assert rules.one_line(f"  {name} ", field="x", longest=120) == name


@pytest.mark.parametrize("name", ["", "   ", "x" * 300, "a\x00b", "a\u202eb", "a\x1bb"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.one_line(name, field="display_name", longest=120)
    assert refusal.value.field == "display_name"
    if len(name) == 300:
        assert "120" in refusal.value.message
        assert "300" in refusal.value.message


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Solar Wind", "Solar-Wind"), ("Équipe Étoiles", "Equipe-Etoiles"), ("太阳", "team"), ("..", "team")],
)
def test_a_slug_is_proposed(name: str, slug: str) -> None:
    assert rules.proposed_slug(name) == slug


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("abc.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("localhost.example.org", False),
        ("10.0.0.1", False),
        ("", False),
        ("127.0.0.1.example.org", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:  # noqa: FBT001  a table of cases
    assert is_loopback(host) is expected


def test_tokens_as_others_meet_them(scientist: Person) -> None:
    row, secret = actions.create_token(by=scientist, name="mine", lifetime_days=7, scopes=[Scope.READ])
    assert secret.startswith("slt_")
    assert secret not in str(ApiToken.objects.values())
    assert secret not in str(list(Entry.objects.values()))
    assert queries.person_for_token(secret, scope=Scope.READ) == scientist
    assert queries.person_for_token(secret, scope=Scope.SESSIONS) is None
    assert queries.token_for(secret) == row
    assert queries.token_for(secret + "x") is None
    assert queries.token_for(row.digest) is None
    assert queries.valid_token_ids([row.pk, row.pk + 1]) == {row.pk}
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert queries.token_for(secret) is None
    assert queries.valid_token_ids([row.pk]) == set()


def test_a_workloads_token_ends_with_it(scientist: Person) -> None:
    secret = actions.issue_workload_token(person=scientist, workload="abc", scopes=[Scope.READ, Scope.SESSIONS])
    other = actions.issue_workload_token(person=scientist, workload="def", scopes=[Scope.READ])
    assert queries.person_for_token(secret, scope=Scope.SESSIONS) == scientist
    assert not queries.personal_tokens(scientist).exists()
    actions.end_workload_tokens(workload="abc")
    actions.end_workload_tokens(workload="abc")
    assert queries.token_for(secret) is None
    assert queries.token_for(other)


def test_last_use_is_written_once_a_minute(scientist: Person, django_assert_num_queries: Any) -> None:
    row, secret = actions.create_token(by=scientist, name="mine", lifetime_days=7, scopes=[Scope.READ])
    actions.note_token_use(token=row)
    used = queries.token_for(secret)
    assert used
    assert used.last_used_at
    with django_assert_num_queries(0):
        actions.note_token_use(token=used)
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    row.refresh_from_db()
    actions.note_token_use(token=row)
    row.refresh_from_db()
    assert row.last_used_at
    assert timezone.now() - row.last_used_at < timedelta(minutes=1)


def test_installing_roles_keeps_an_operators_change(db: None) -> None:
    actions.install_roles()
    actions.install_demo_people()
    assert set(Role.objects.values_list("name", flat=True)) == set(settings.ROLES)
    assert Person.objects.filter(is_demo=True).count() == len(settings.ROLES) + 2
    assert not any(person.has_usable_password() for person in Person.objects.all())
    boss = Person.objects.get(username="demo-operator")
    actions.set_role_permissions(by=boss, role="scientist", permissions=["sessions.launch"])
    actions.install_roles()
    actions.install_demo_people()
    assert Role.objects.get(name="scientist").permissions == ["sessions.launch"]


def test_an_upgrade_reaches_the_roles_that_no_operator_changed(operator: Person, settings: Any) -> None:
    actions.install_roles()
    held = Role.objects.get(name="scientist").permissions
    actions.set_role_permissions(by=operator, role="scientist", permissions=[*held, "audit.view"])
    new = {name: [*permissions, "stars.count"] for name, permissions in settings.ROLES.items()}
    settings.ROLES, settings.PERMISSIONS = new, {**settings.PERMISSIONS, "stars.count": "count stars"}
    actions.install_roles()
    assert "stars.count" in Role.objects.get(name="developer").permissions
    assert "stars.count" not in Role.objects.get(name="scientist").permissions
    told = Entry.objects.filter(action="accounts.upgrade-role", subject="role:developer")
    assert [one.details for one in told] == [{"added": ["stars.count"], "removed": []}]
    actions.install_roles()
    assert told.count() == 1
    actions.reset_role(by=operator, role="scientist")
    assert set(Role.objects.get(name="scientist").permissions) == set(new["scientist"])
    settings.ROLES = {**new, "scientist": [*new["scientist"], "audit.view"]}
    actions.install_roles()
    assert "audit.view" in Role.objects.get(name="scientist").permissions


def test_the_migration_finds_in_the_trail_which_roles_were_changed(operator: Person) -> None:
    actions.install_roles()
    actions.set_role_permissions(by=operator, role="scientist", permissions=["sessions.launch"])
    Role.objects.update(is_changed=False)
    migration = importlib.import_module("spacelab.accounts.migrations.0003_changed_roles")
    migration.mark_changed(apps, None)
    assert list(Role.objects.filter(is_changed=True).values_list("name", flat=True)) == ["scientist"]


def test_only_a_shipped_role_is_reset_and_only_by_operators(operator: Person, scientist: Person) -> None:
    actions.install_roles()
    with pytest.raises(Invalid, match="shipped"):
        actions.reset_role(by=operator, role="clerk")
    with pytest.raises(Forbidden):
        actions.reset_role(by=scientist, role="scientist")


def test_somebody_who_may_manage_people_is_left(operator: Person) -> None:
    actions.install_roles()
    changes: list[Callable[[], None]] = [
        lambda: actions.set_roles(by=operator, person=operator, roles=["scientist"]),
        lambda: actions.deactivate_person(by=operator, person=operator),
        lambda: actions.set_role_permissions(by=operator, role="operator", permissions=[]),
    ]
    for change in changes:
        with pytest.raises(Conflict, match="Nobody would be left"):
            change()
        operator.refresh_from_db()
        assert operator.is_active
        assert queries.may(operator, "accounts.manage-people")
    make_person("second", "operator")
    actions.set_roles(by=operator, person=operator, roles=["scientist"])
    assert not queries.may(operator, "accounts.manage-people")


def test_a_demo_operator_does_not_count_where_the_demo_is_off(operator: Person, settings: Any) -> None:
    actions.install_roles()
    actions.install_demo_people()
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"demo": False})
    with pytest.raises(Conflict):
        actions.deactivate_person(by=operator, person=operator)


def test_whoever_only_decides_requests_gives_no_more_than_she_has(db: None) -> None:
    actions.install_roles()
    Role.objects.create(name="clerk", permissions=[*settings.ROLES["scientist"], "accounts.decide-access-requests"])
    clerk = make_person("clerk")
    clerk.roles.set(Role.objects.filter(name="clerk"))
    for number in (1, 2):
        actions.request_access(
            username=f"new{number}",
            email=f"n{number}@example.org",
            display_name="New",
            affiliation="",
            purpose="Work",
            address="192.0.2.1",
        )
    first, second = queries.access_requests("open")
    with pytest.raises(Forbidden):
        actions.grant_access(by=clerk, request_id=first.pk, roles=["operator"])
    actions.grant_access(by=clerk, request_id=second.pk, roles=["scientist"])


def test_old_attempts_are_forgotten(scientist: Person) -> None:
    for _ in range(8):
        SignInAttempt.objects.create(username="ada", address="192.0.2.1")
    SignInAttempt.objects.update(at=timezone.now() - timedelta(minutes=16))
    assert actions.verify_password(username="ADA ", password=PASSWORD, address="192.0.2.1") == scientist
    assert not SignInAttempt.objects.exists()


def test_usernames_and_mail_addresses_are_used_once(operator: Person) -> None:
    fields: dict[str, Any] = {"by": System("test"), "display_name": "X", "roles": ["operator"]}
    for username, email, field in (
        ("olga", "x@example.org", "username"),
        ("other", "OLGA@example.org", "email"),
        ("Not a name", "x@example.org", "username"),
        ("other", "no address", "email"),
        ("other", "x" * 300 + "@example.org", "email"),
    ):
        with pytest.raises(Invalid) as refusal:
            actions.add_person(username=username, email=email, **fields)
        assert refusal.value.field == field

"""People, their roles, teams, tokens, and requests for access."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from spacelab.accounts import rules

username_validator = RegexValidator(rules.USERNAME, rules.USERNAME_ADVICE)
team_slug_validator = RegexValidator(rules.TEAM_SLUG, rules.TEAM_SLUG_ADVICE)


class Role(models.Model):
    """A named set of permissions that an operator can change."""

    name = models.SlugField(primary_key=True, max_length=40)
    permissions = models.JSONField(default=list)
    is_changed = models.BooleanField(default=False)
    """Whether an operator chose other permissions than a fresh install has: an upgrade then leaves them alone."""

    def __str__(self) -> str:
        return self.name


class Person(AbstractBaseUser):
    """Somebody with an account."""

    username = models.CharField(max_length=40, unique=True, validators=[username_validator])
    email = models.EmailField()
    display_name = models.CharField(max_length=120)
    affiliation = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)
    sign_ins_ended = models.PositiveIntegerField(default=0)
    """How often all sign-ins were ended at once; part of what each sign-in has to match."""
    created_at = models.DateTimeField(auto_now_add=True)
    roles = models.ManyToManyField(Role, related_name="people")

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email", "display_name"]
    objects = BaseUserManager()

    class Meta:
        verbose_name_plural = "people"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("email"), name="one_person_per_email"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    @property
    def audit_name(self) -> str:
        """How the audit trail names this person."""
        return f"person:{self.username}"

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        text = f"{self.password}:{self.sign_ins_ended}"
        return salted_hmac("spacelab.accounts.sign-in", text, secret=secret, algorithm="sha256").hexdigest()


class Team(models.Model):
    """People who share an area; its slug is the folder's name in their sessions."""

    slug = models.CharField(max_length=60, unique=True, validators=[team_slug_validator])
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(Person, through="Membership", related_name="teams")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One person in one team; an owner may invite and remove."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    is_owner = models.BooleanField(default=False)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["team", "person"], name="member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.team_id}"


class Invitation(models.Model):
    """A team's invitation to a username, whose person accepts or declines it.

    One to a name that nobody has looks the same to the team: who has an account is not theirs to find out.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    username = models.CharField(max_length=40, default="")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.CASCADE, related_name="invitations")
    invited_by = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["team", "username"], name="invited_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.team_id} invites {self.username}"


class ApiToken(models.Model):
    """A person's key to the API: only its digest is kept. A token with a workload ends with that workload."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    workload = models.CharField(max_length=12, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class PasswordLink(models.Model):
    """A one-time link, made by an operator, with which a person sets a password."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="password_links")
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"password link for {self.person_id}"


class SignInAttempt(models.Model):
    """A failed sign-in, counted by name and by address for the throttle."""

    username = models.CharField(max_length=150, db_index=True)
    address = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.username} from {self.address}"


class AccessRequest(models.Model):
    """A visitor's wish for an account, which an operator grants or declines with a reason."""

    class State(models.TextChoices):
        """Where the request stands."""

        OPEN = "open"
        GRANTED = "granted"
        DECLINED = "declined"

    username = models.CharField(max_length=40, validators=[username_validator])
    email = models.EmailField()
    display_name = models.CharField(max_length=120)
    affiliation = models.CharField(max_length=200, blank=True)
    purpose = models.TextField(max_length=2000)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN, db_index=True)
    reason = models.TextField(max_length=2000, blank=True)
    decided_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    address = models.CharField(max_length=64, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.display_name} ({self.state})"

"""What people enter about accounts; the actions judge it, the forms show what they say beside the field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms

from spacelab.accounts import rules
from spacelab.accounts.models import Role
from spacelab.kit.refusals import Conflict, Invalid, TooMany

Made = TypeVar("Made")

SCOPE_CHOICES = [(str(scope), f"{scope}: {meaning}") for scope, meaning in rules.SCOPE_MEANINGS.items()]
LIFETIME_CHOICES = [(days, "1 day" if days == 1 else f"{days} days") for days in rules.TOKEN_LIFETIMES_DAYS]


class ActionForm(forms.Form):
    """A form whose action may refuse: the refusal stands beside the field that it names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def attempt(self, action: Callable[[dict[str, Any]], Made]) -> Made | None:
        """Call the action with what was entered; None, with the reason in the form, when it refuses."""
        if not self.is_valid():
            return None
        try:
            return action(self.cleaned_data)
        except (Invalid, Conflict, TooMany) as refusal:
            field = refusal.field if refusal.field in self.fields else None
            self.add_error(field, f"{refusal.message} {refusal.advice}".strip())
            return None


def _roles() -> list[tuple[str, str]]:
    return [(name, name) for name in Role.objects.order_by("name").values_list("name", flat=True)]


def _roles_field() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(label="Roles", choices=_roles, widget=forms.CheckboxSelectMultiple)


def _username_field(**arguments: Any) -> forms.CharField:
    return forms.CharField(label="Username", help_text=rules.USERNAME_ADVICE, **arguments)


def _new_password(label: str = "New password") -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        help_text="At least 12 characters, and nothing that is easy to guess.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class SignInForm(ActionForm):
    """Name and password."""

    username = forms.CharField(
        label="Username", widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"})
    )
    password = forms.CharField(
        label="Password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class SetPasswordForm(ActionForm):
    """A new password, by a one-time link."""

    password = _new_password()


class ChangePasswordForm(ActionForm):
    """A new password, by the present one."""

    current = forms.CharField(
        label="Present password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    password = _new_password()


class ProfileForm(ActionForm):
    """What a person says of herself."""

    display_name = forms.CharField(label="Name", help_text="In any script, up to 120 characters.")
    email = forms.CharField(label="Mail address", widget=forms.EmailInput)
    affiliation = forms.CharField(label="Affiliation", required=False)


class PersonForm(ProfileForm):
    """A person to add."""

    username = _username_field()
    roles = _roles_field()
    field_order = ("username", "display_name", "email", "affiliation", "roles")


class RolesForm(ActionForm):
    """A person's roles."""

    roles = _roles_field()


class RequestAccessForm(ProfileForm):
    """A visitor's wish for an account."""

    username = _username_field()
    purpose = forms.CharField(
        label="What would you like to do here?", widget=forms.Textarea(attrs={"rows": 5}), help_text="A few sentences."
    )
    field_order = ("display_name", "email", "username", "affiliation", "purpose")


class GrantForm(RolesForm):
    """Granting a request."""

    username = _username_field()
    field_order = ("username", "roles")


class DeclineForm(ActionForm):
    """Declining a request."""

    reason = forms.CharField(
        label="Reason", widget=forms.Textarea(attrs={"rows": 3}), help_text="The visitor reads it in a mail."
    )


class TokenForm(ActionForm):
    """A token to make."""

    name = forms.CharField(label="Name", help_text="What it is for, for example “laptop notebooks”.")
    lifetime_days = forms.TypedChoiceField(label="Valid for", choices=LIFETIME_CHOICES, coerce=int, initial=30)
    scopes = forms.MultipleChoiceField(
        label="Scopes", choices=SCOPE_CHOICES, widget=forms.CheckboxSelectMultiple, initial=[str(rules.Scope.READ)]
    )


class TeamForm(ActionForm):
    """A team to make."""

    name = forms.CharField(label="Name of the team")
    slug = forms.CharField(
        label="Folder name",
        required=False,
        help_text="The team's folder in its members' sessions. It can't be changed later; empty makes it of the name.",
    )


class RenameForm(ActionForm):
    """A team's new name."""

    name = forms.CharField(label="Name of the team")


class InviteForm(ActionForm):
    """Whom to invite."""

    username = forms.CharField(label="Username", widget=forms.TextInput(attrs={"autocapitalize": "none"}))

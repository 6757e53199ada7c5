"""People for tests, one for each role."""

from __future__ import annotations

from django.test import Client

from spacelab.accounts.models import Person, Role
from spacelab.site.roles import ROLE_MATRIX

PASSWORD = "correct horse battery staple"


def make_person(username: str = "ada", *roles: str) -> Person:
    """Create a person with the given roles (a scientist if none are named) and the tests' password."""
    person = Person(username=username, email=f"{username}@example.org", display_name=username.capitalize())
    person.set_password(PASSWORD)
    person.save()
    for name in roles or ("scientist",):
        role, _ = Role.objects.get_or_create(name=name, defaults={"permissions": ROLE_MATRIX[name]})
        person.roles.add(role)
    return person


def signed_in(person: Person | None) -> Client:
    """Give a browser of its own to a person, or to a visitor."""
    client = Client()
    if person is not None:
        client.force_login(person)
    return client

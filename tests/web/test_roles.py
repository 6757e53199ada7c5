"""The page of roles: it says what the enumerations, the documentation and the database say."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.test import Client

from spacelab.accounts import actions
from spacelab.accounts.models import Person, Role
from spacelab.audit.models import Entry
from spacelab.site.roles import PERMISSION_MEANINGS, ROLE_MATRIX
from support.tree import ROOT

Matrix = dict[str, set[str]]
"""Role → what it allows."""


class Table(HTMLParser):
    """The rows of the page's table, as texts of their cells; a ticked box counts as "yes"."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in {"th", "td"}:
            self.rows[-1].append("")
            self.inside = True
        elif tag == "div" and self.inside:
            self.rows[-1][-1] += " "
        elif tag == "input" and ("checked", None) in attrs:
            self.rows[-1][-1] += "yes"

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in {"th", "td"}

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def shown_to(person: Person) -> Matrix:
    client = Client()
    client.force_login(person)
    header, *rows = Table(client.get("/roles/").content.decode()).rows
    names = [re.sub(r"\s.*", "", one) for one in header[2:]]
    found: Matrix = {name: set() for name in names}
    for row in rows:
        permission = re.match(r"[a-z]+\.[a-z-]+", row[0])
        for name, cell in zip(names, row[2:], strict=True):
            if permission and "yes" in cell:
                found[name].add(permission[0])
    return found


def documented() -> Matrix:
    lines = (ROOT / "docs/reference/permissions.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    names = rows[0][2:]
    return {name: {row[0].strip("`") for row in rows[2:] if row[2 + place]} for place, name in enumerate(names)}


def test_page_documentation_and_code_agree(scientist: Person, operator: Person) -> None:
    actions.install_roles()
    table = {name: set(permissions) for name, permissions in ROLE_MATRIX.items()}
    assert shown_to(scientist) == shown_to(operator) == documented() == table
    assert {one for permissions in table.values() for one in permissions} == {str(one) for one in PERMISSION_MEANINGS}
    assert list(shown_to(scientist)) == list(ROLE_MATRIX)


def test_everybody_signed_in_reads_what_each_permission_means(scientist: Person) -> None:
    actions.install_roles()
    client = Client()
    assert client.get("/roles/").status_code == 302
    client.force_login(scientist)
    page = client.get("/roles/").content.decode()
    assert "decide about what is published" in page
    assert '<form method="post" id="role-' not in page


def test_an_operator_sees_what_she_changed_and_takes_it_back(scientist: Person, operator: Person) -> None:
    actions.install_roles()
    client = Client()
    client.force_login(operator)
    assert "Reset" not in client.get("/roles/").content.decode()
    client.post("/roles/scientist/", {"permissions": ["datalabs.view", "audit.view"]})
    assert shown_to(scientist)["scientist"] == {"datalabs.view", "audit.view"}
    page = client.get("/roles/").content.decode()
    assert page.count(">changed<") == 1
    assert "left out" in page
    assert "added" in page
    client.post("/roles/scientist/", {"reset": "yes"})
    role = Role.objects.get(name="scientist")
    assert (set(role.permissions), role.is_changed) == (set(ROLE_MATRIX["scientist"]), False)
    trail = Entry.objects.filter(action="accounts.set-role-permissions", subject="role:scientist")
    assert [one.actor for one in trail] == [operator.audit_name] * 2


def test_the_operators_keep_their_power(operator: Person) -> None:
    actions.install_roles()
    client = Client()
    client.force_login(operator)
    answer = client.post("/roles/operator/", {"permissions": ["audit.view"]}, follow=True).content.decode()
    assert "Nobody would be left" in answer
    assert "accounts.manage-people" in Role.objects.get(name="operator").permissions

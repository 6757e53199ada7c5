"""Writes the reference pages that the code itself can tell: settings, commands, permissions, pages, API, terms.

`.venv/bin/python docs/generate_reference.py` writes them; a contract test compares them with what the code says now.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import pkgutil
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver
    from pydantic.fields import FieldInfo

    from spacelab.publishing.rules.terms import Term

REFERENCE = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate_reference.py from the code. Change the code, then run `make reference`. -->"

DJANGO_OPTIONS = frozenset(
    {
        "help",
        "version",
        "verbosity",
        "settings",
        "pythonpath",
        "traceback",
        "no_color",
        "force_color",
        "skip_checks",
    }
)


def cell(text: str) -> str:
    """Make a text fit into one cell of a table."""
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


def first_sentence(thing: object) -> str:
    """Return the first paragraph of a thing's docstring as one line."""
    return cell((inspect.getdoc(thing) or "").split("\n\n")[0])


def page(title: str, introduction: str, body: list[str]) -> str:
    """Put a page together."""
    return "\n".join([NOTE, "", f"# {title}", "", introduction.strip(), "", *body]).rstrip() + "\n"


# Settings


def default_of(name: str, field: FieldInfo) -> str:
    """Write a setting's default as a person would enter it."""
    if name == "state":
        return "`var` in the current folder"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, str):
        return f"`{value}`" if value else "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list | tuple):
        return ", ".join(f"`{getattr(one, 'name', one)}`" for one in value) or "empty"
    return f"`{value}`"


def type_of(field: FieldInfo) -> str:
    """Write a setting's type in words."""
    text = str(field.annotation)
    if "Literal" in text:
        return " or ".join(f"`{one}`" for one in re.findall(r"'([^']+)'", text))
    if text.startswith(("list", "tuple")):
        return "list"
    text = text.removesuffix(" | None")
    if text.endswith("Path"):
        return "path"
    names = {"Path": "path", "bool": "true or false", "str": "text", "int": "whole number", "float": "number"}
    return names.get(getattr(field.annotation, "__name__", ""), text)


def settings_page() -> str:
    """Describe every setting."""
    from spacelab.site.configuration import Configuration

    body = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for name, field in Configuration.model_fields.items():
        meaning = cell(field.description or "")
        body.append(f"| `{name}` | {type_of(field)} | {cell(default_of(name, field))} | {meaning} |")
    introduction = """
Each setting is `SPACELAB_<NAME>` in the environment, or `<name>` in the file `spacelab.toml` in the state directory.
The environment wins; lists are comma-separated there, and lists in the file. A name that is not
in this table is refused at the start, so that a slip can't go unnoticed.

```toml
# <state>/spacelab.toml
port = 8090
idle_minutes = 720
```
"""
    return page("Settings", introduction, body)


# Commands


def own_commands() -> Iterator[tuple[str, str]]:
    """Yield the platform's management commands: name and the application that brings it."""
    from django.apps import apps

    for application in apps.get_app_configs():
        if application.name.startswith("spacelab."):
            folder = Path(application.path) / "management" / "commands"
            for module in sorted(pkgutil.iter_modules([str(folder)]), key=lambda one: one.name):
                if not module.name.startswith("_"):
                    yield module.name, application.name


def argument(action: argparse.Action) -> str:
    """Write one argument of a command as a line of a list."""
    name = " ".join(f"`{one}`" for one in action.option_strings) or f"`{(action.metavar or action.dest)}`"
    parts = [str(action.help or "")]
    if action.choices:
        parts.append(f"one of {', '.join(str(one) for one in action.choices)}")
    if action.option_strings and action.required:
        parts.append("needed")
    if action.option_strings and action.default not in (None, False, [], "", argparse.SUPPRESS):
        parts.append(f"default: {action.default}")
    said = cell("; ".join(part for part in parts if part))
    return f"- {name}: {said}" if said else f"- {name}"


def parser_lines(parser: argparse.ArgumentParser, prefix: str) -> Iterator[str]:
    """Yield the lines on a command's arguments, and on its subcommands."""
    for action in parser._actions:  # noqa: SLF001  argparse shows its arguments nowhere else
        if action.dest in DJANGO_OPTIONS:
            continue
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  as above
            told = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001  as above
            for name, subparser in action.choices.items():
                yield f"- `{prefix} {name}`: {cell(told.get(name) or subparser.description or '')}"
                yield from (f"  {line}" for line in parser_lines(subparser, f"{prefix} {name}"))
        else:
            yield argument(action)


def purpose_of(main: Callable[[list[str]], int]) -> str:
    """Return what the module of a program says of it, as a sentence of its own."""
    text = first_sentence(sys.modules[main.__module__]).split(": ", 1)[-1]
    return text[0].upper() + text[1:]


def commands_page() -> str:
    """Describe every command."""
    from django.core.management import load_command_class

    from spacelab.site import command
    from spacelab.site.client import program

    described: dict[str, tuple[str, list[str]]] = {
        name: (purpose_of(main), []) for name, main in command.light_commands().items()
    }
    for name, application in own_commands():
        loaded = load_command_class(application, name)
        shown = name.replace("_", "-")
        lines = list(parser_lines(loaded.create_parser("spacelab", shown), f"spacelab {shown}"))
        described[shown] = (cell(str(loaded.help) or first_sentence(loaded)), lines)
    lines = list(parser_lines(program.parser(), "spacelab datalab"))
    described["datalab"] = (purpose_of(program.main), lines)
    body = []
    for name, (purpose, arguments) in sorted(described.items()):
        body += [f"## `spacelab {name}`", "", purpose, ""]
        body += [*arguments, ""] if arguments else []
    introduction = """
In a checkout the command is `.venv/bin/spacelab`; `make up` installs it. Every command reads the same
[settings](settings.md).
`spacelab help` also lists Django's own commands, such as `migrate` and `dbshell`; `spacelab help NAME` explains one.
"""
    return page("Commands", introduction, body)


# Permissions


def permissions_page() -> str:
    """Show which role has which permission."""
    from spacelab.site.roles import PERMISSION_MEANINGS, ROLE_MATRIX

    body = [f"| permission | it allows to | {' | '.join(ROLE_MATRIX)} |", f"|---|---|{'---|' * len(ROLE_MATRIX)}"]
    for permission in sorted(all_permissions()):
        marks = " | ".join("✓" if permission in allowed else "" for allowed in ROLE_MATRIX.values())
        body.append(f"| `{permission}` | {PERMISSION_MEANINGS[permission]} | {marks} |")
    introduction = """
A person has one or more roles; a role is a set of permissions. A fresh install starts with the roles in this table;
the page `/roles/` shows what they allow at present, and operators change them there. An upgrade brings new permissions
to the roles that have them in this table, except to those that an operator changed: their row on the page says what
differs.
What a person owns (sessions, workspace, teams she made) she may manage without a permission of its own; an API token
never allows more than its person's roles.
"""
    return page("Roles and permissions", introduction, body)


def all_permissions() -> set[str]:
    """Collect every permission that a domain defines."""
    from enum import StrEnum

    import spacelab

    found = set()
    for module in pkgutil.iter_modules(spacelab.__path__):
        if not module.ispkg:
            continue
        try:
            permissions = importlib.import_module(f"spacelab.{module.name}.permissions")
        except ModuleNotFoundError:
            continue
        for value in vars(permissions).values():
            if isinstance(value, type) and issubclass(value, StrEnum) and value.__module__ == permissions.__name__:
                found |= {str(member) for member in value}
    return found


# Pages and API


def walk(patterns: list[Any], prefix: str = "", namespace: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield the address, the full name and the view of every page."""
    for entry in patterns:
        address = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
        if hasattr(entry, "url_patterns"):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from walk(entry.url_patterns, address, inner)
        else:
            yield address, f"{namespace}{entry.name}" if entry.name else "", entry.callback


def site_patterns() -> list[URLPattern | URLResolver]:
    """Return the site's addresses."""
    from spacelab.site.urls import urlpatterns

    return urlpatterns


def page_rows() -> list[tuple[str, str, str]]:
    """List the pages: address, name, what it is; the addresses of the API are listed apart."""
    rows = []
    for address, name, view in walk(site_patterns()):
        if address.startswith(("api/v1/", "ga4gh/wes/v1/")):
            continue
        shown = view.view_class if hasattr(view, "view_class") else inspect.unwrap(view)
        rows.append((re.sub(r"<\w+:", "<", f"/{address}"), name, first_sentence(shown)))
    return sorted(rows)


def in_words(operation: dict[str, Any]) -> str:
    """Say what an operation of the API does: its title, and what is said beyond it."""
    title, text = (cell(operation.get(key) or "").rstrip(".") for key in ("summary", "description"))
    parts = [title, text] if not text.lower().startswith(title.lower()) else [text]
    return "".join(f"{part}. " for part in parts if part).strip()


def api_rows(name: str) -> list[tuple[str, str, str]]:
    """List the operations of an API, `api` or `wes`: method, path, summary."""
    try:
        api = getattr(importlib.import_module(f"spacelab.site.{name}"), name)
    except ModuleNotFoundError:
        return []
    schema = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    return [
        (method.upper(), path, in_words(operation))
        for path, operations in sorted(schema["paths"].items())
        for method, operation in operations.items()
    ]


def pages_page() -> str:
    """List every page and every operation of the API."""
    body = ["## Pages", "", "| address | name | what it is |", "|---|---|---|"]
    body += [f"| `{address}` | `{name}` | {cell(text)} |" for address, name, text in page_rows()]
    for name, title in (("api", "API"), ("wes", "GA4GH WES")):
        operations = api_rows(name)
        body += ["", f"## {title}", "", "| method | path | what it does |", "|---|---|---|"]
        body += [f"| {method} | `{path}` | {text} |" for method, path, text in operations]
    introduction = """
Everything here is served on the portal's address. The API speaks JSON; errors are problem documents (RFC 9457) with
`title`, `detail`, `advice` and, where one is at fault, `field`. The same actions stand behind pages and API.
"""
    return page("Pages and API", introduction, body)


# Metadata terms


def limits_of(term: Term) -> str:
    """Say how long a term's value may be."""
    if term.is_list:
        return f"{term.most} entries of {term.longest:,} characters"
    return "" if term.type in {"yes or no", "date"} else f"{term.longest:,} characters"


def term_row(term: Term) -> str:
    """Write one term as a row."""
    vocabulary = f"[`{term.vocabulary}`]({term.address})" if term.address else f"`{term.vocabulary}`"
    kinds = " and ".join(sorted(term.kinds))
    seen = "private" if term.private else "public"
    cells = [f"`{term.key}`", term.label, vocabulary, term.type, limits_of(term), term.writer, seen, kinds, term.hint]
    return f"| {' | '.join(cells)} |"


def terms_page() -> str:
    """Describe every metadata term, and the formats it is written in."""
    from spacelab.publishing.rules import exports, terms

    body = []
    for block in terms.Block:
        body += [f"## {block.capitalize()}", ""]
        body += ["| term | label | vocabulary | type | limit | written by | seen | of | what it says |"]
        body += [f"|{'---|' * 9}"]
        body += [term_row(term) for term in terms.TERMS.values() if term.block is block]
        body.append("")
    body += ["## Prefixes", "", "| prefix | namespace |", "|---|---|"]
    body += [f"| `{prefix}` | `{namespace}` |" for prefix, namespace in terms.NAMESPACES.items()]
    body += ["", "## Formats", "", "| name | format | file | media type |", "|---|---|---|---|"]
    body += [f"| `{one.name}` | {one.title} | `{one.file}` | `{one.media_type}` |" for one in exports.FORMATS.values()]
    introduction = """
What a version of a datalab or a pipeline says about itself, by the keys of [`datalab-meta.yml`](datalab-package.md).
A version can't be submitted while a mandatory term is missing. *Public* terms are seen by whoever sees the version;
*private* ones by its author, by moderators and by operators alone: they are in no page, answer, export or search result
of others. Terms that are not in these tables are kept, up to 50 of 20,000 characters, and are private. All terms
of a version together may have 200 kB.

Texts are UTF-8 in normal form C; control characters, characters without width, and those that turn the direction of
the text are refused. Long texts are CommonMark; HTML in them is shown as text. Every term can be written to, and read
from, each of the formats at the end that has a place for it: `datalab-meta.yml` and JSON-LD hold all.
ESA publishes the prefix `esado` without an address, so its names lead nowhere here either.
"""
    return page("Metadata terms", introduction, body)


# Lifecycle

HEARERS = {"author": "its author", "moderators": "the moderators", "followers": "who bookmarked it"}


def lifecycle_page() -> str:
    """Write the states of a version and the steps between them, from the one table that the platform obeys."""
    rules = importlib.import_module("spacelab.publishing.rules.lifecycle")
    groups = {
        "files and metadata can be changed": rules.EDITABLE,
        "can be launched by whoever may try it": rules.RUNNABLE,
        "with the moderators": rules.REVIEWABLE,
        "in the catalogue": rules.OFFERED,
        "never changes again": rules.KEPT,
        "can be deleted by its author": rules.DELETABLE,
    }
    body = ["## States", "", "| state | what that means |", "|---|---|"]
    for state in rules.State:
        meaning = "; ".join(words for words, states in groups.items() if state in states)
        body.append(f"| {state.words} | {meaning or 'at work'} |")
    body += ["", "## Steps", "", "| step | name | from | to | who | refused while | who hears of it |"]
    body += ["|---|---|---|---|---|---|---|"]
    for row in rules.TRANSITIONS.values():
        sources = ", ".join(state.words for state in rules.State if state in row.sources)
        who = ", ".join(one.value for one in rules.Who if one in row.who)
        needs = " ".join(need.value for need in row.needs)
        tells = ", ".join(HEARERS.get(one, one) for one in row.tells)
        cells = [row.title, f"`{row.name}`", sources, row.target.words, who, needs, tells]
        body.append(f"| {' | '.join(cell(one) or '-' for one in cells)} |")
    body += ["", "## Picture", "", "```mermaid", "stateDiagram-v2"]
    names = {state: state.value.replace("-", "_") for state in rules.State}
    body += [f"  {names[state]} : {state.words}" for state in rules.State if state.words != names[state]]
    body.append(f"  [*] --> {names[rules.State.DRAFT]}")
    body += [
        f"  {names[source]} --> {names[row.target]} : {row.name}"
        for row in rules.TRANSITIONS.values()
        for source in rules.State
        if source in row.sources and source is not row.target
    ]
    body.append("```")
    introduction = """
Where a version of a datalab stands, and every way that it may go. The platform, its tests and this page are made
from the same table. A step that is not open in a version's state, or that something hinders, is refused with what to
do; so is a step on a version that somebody moved meanwhile. The names are those of the API and of `spacelab datalab`.
The platform's own steps follow what happens: a build ends, a launch test begins, a newer version is published.
"""
    return page("Lifecycle of a version", introduction, body)


PAGES = {
    "lifecycle.md": lifecycle_page,
    "settings.md": settings_page,
    "commands.md": commands_page,
    "permissions.md": permissions_page,
    "pages-and-api.md": pages_page,
    "metadata-terms.md": terms_page,
}


def generated(name: str) -> str:
    """Return the text of one of the generated pages, by its file name below docs/reference."""
    return PAGES[name]()


def main() -> None:
    """Write the pages."""
    with tempfile.TemporaryDirectory() as state:
        for name in [name for name in os.environ if name.startswith("SPACELAB_")]:
            del os.environ[name]
        os.environ["SPACELAB_STATE"] = state
        os.environ["DJANGO_SETTINGS_MODULE"] = "spacelab.site.settings"
        import django

        django.setup()
        REFERENCE.mkdir(exist_ok=True)
        for name in PAGES:
            (REFERENCE / name).write_text(generated(name))
            sys.stdout.write(f"docs/reference/{name}\n")


if __name__ == "__main__":
    main()

"""How long the server takes for pages of a catalogue of 10,000 datalabs, and how many queries it makes for them.

Usage: benchmarks/catalogue.py [--datalabs 10000] [--rounds 30]
SQLite in a temporary folder, everything in this process: middleware, database and templates, no network. The floor is
a page without anything of the database: what Django, our middleware and the frame around each page take anyway. The
goal is 50 ms at the median for the first page and for a filtered search, and at most 12 queries.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacelab.accounts.models import Person
    from spacelab.datalabs.models import Datalab

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

WORDS = """spectra photometry astrometry stars galaxies dust planets comets timing imaging cube lensing binaries
clusters nebulae
variability polarimetry archive survey mosaic catalogue fitting reduction calibration simulation""".split()  # noqa: SIM905  as one reads it
MISSIONS = ["Gaia", "Euclid", "Hipparcos", "SOHO", "Herschel", "Planck", "XMM-Newton", "Rosetta", "none"]
DOMAINS = ["esado:Astronomy", "esado:Heliophysics", "esado:PlanetaryScience", ""]
PAGES = {
    "first page": "/catalogue/",
    "a word": "/catalogue/?q=lensing",
    "words, kind, newest": "/catalogue/?q=dust+cube&kind=jupyter&sort=newest",
    "a tag": "/catalogue/?tag=comets",
    "facets": "/catalogue/?mission=Gaia&opens=fits",
    "most used": "/catalogue/?sort=popularity",
    "page 200": "/catalogue/?page=200",
    "one datalab": "/catalogue/lab-77/",
    "10,000 comments": "/catalogue/lab-78/",
    "all comments": "/catalogue/lab-78/comments/",
    "the last of them": "/catalogue/lab-78/comments/?page=500",
    "API, a word": "/api/v1/datalabs?q=lensing&limit=24",
}
DISCUSSED = "datalab:lab-78"
FLOOR = "/request-access/thanks/"


def prepare(state: str) -> None:
    """Name the settings, and make the tables."""
    os.environ["SPACELAB_STATE"] = state
    os.environ["DJANGO_SETTINGS_MODULE"] = "support.settings"
    import django  # noqa: PLC0415  settings must be named first

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)


def fill(number: int) -> None:
    """Make that many datalabs with two versions each: most for everybody, some private, shared or archived."""
    from django.utils import timezone  # noqa: PLC0415  Django must be ready

    from spacelab.datalabs.models import Datalab, DatalabVersion  # noqa: PLC0415
    from spacelab.datalabs.rules import fold, tag_index  # noqa: PLC0415
    from support.people import make_person  # noqa: PLC0415

    dice = random.Random(4)  # noqa: S311  the same catalogue every time
    people = [make_person(f"dev{index}", "developer") for index in range(20)]
    made = []
    for index in range(number):
        tags = dice.sample(WORDS, 3)
        title = f"{dice.choice(WORDS).capitalize()} {dice.choice(WORDS)} {index}"
        abstract = " ".join(dice.choices(WORDS, k=30))
        author = f"Author {index % 300}"
        made.append(
            Datalab(
                slug=f"lab-{index}",
                title=title,
                abstract=abstract,
                author=author,
                tags=tags,
                kind=dice.choice(["jupyter", "desktop", "web"]),
                maintainer=dice.choice(people),
                popularity=max(0, int(dice.gauss(-20, 40))),
                search_text=fold("\n".join([title, abstract, author, *tags])),
                tag_index=tag_index(tags),
            )
        )
    Datalab.objects.bulk_create(made, batch_size=500)
    versions = []
    for datalab in Datalab.objects.all():
        states = [("superseded", "everybody"), ("published", dice.choice(["everybody"] * 9 + ["private"]))]
        versions += [
            DatalabVersion(
                datalab=datalab,
                version=f"{major}.0",
                state=state,
                visibility=visibility,
                environment="lab",
                metadata={"mission": dice.sample(MISSIONS, 2), "domain": dice.choice(DOMAINS)},
                opens={"formats": dice.sample(["fits", "csv", "vot", "ipynb", "nc"], 2)},
                published_at=timezone.now(),
            )
            for major, (state, visibility) in enumerate(states, 1)
        ]
    DatalabVersion.objects.bulk_create(versions, batch_size=500)
    for datalab in Datalab.objects.all():
        datalab.relist()
    speak(people[1], made, dice)


def speak(author: Person, datalabs: Sequence[Datalab], dice: random.Random) -> None:
    """Have every second datalab rated, and one of them discussed in 10,000 comments and as many answers to one."""
    from spacelab.feedback.models import Comment, Standing  # noqa: PLC0415  Django must be ready

    rated = [
        Standing(subject=f"datalab:{one.slug}", ratings=7, average=dice.uniform(1, 5), by_stars=[0, 1, 1, 2, 3])
        for one in datalabs[::2]
    ]
    Standing.objects.bulk_create(rated, batch_size=500)
    said = {"subject": DISCUSSED, "author": author, "text": "It *starts*, and does what it says."}
    comments = Comment.objects.bulk_create((Comment(**said) for _ in range(10_000)), batch_size=500)
    answers = (Comment(**said, answers=comments[-1]) for _ in range(10_000))
    Comment.objects.bulk_create(answers, batch_size=500)


def measure(path: str, rounds: int, person: str) -> tuple[float, float, int]:
    """Return the median and the slowest time in milliseconds, and the number of queries."""
    from django.conf import settings  # noqa: PLC0415  Django must be ready
    from django.db.backends.utils import CursorWrapper  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from spacelab.accounts.models import Person  # noqa: PLC0415

    client = Client(SERVER_NAME=settings.SPACELAB.portal_host)  # no test environment: that watches every template
    if person:
        client.force_login(Person.objects.get(username=person))
    client.get(path)
    asked: list[str] = []
    plain = CursorWrapper.execute

    def counted(self: CursorWrapper, sql: str, params: object = None) -> object:
        asked.append(sql)
        return plain(self, sql, params)

    CursorWrapper.execute = counted
    try:
        assert client.get(path).status_code == 200, path
    finally:
        CursorWrapper.execute = plain
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        client.get(path)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), max(times), len(asked)


def tell(what: str, pages: dict[str, str], rounds: int) -> None:
    """Print what pages (name → address) take a visitor and somebody who is signed in, beside the floor."""
    for person in ("", "dev1"):
        print(f"{'signed in' if person else 'a visitor'}, {what}")
        floor, _, _ = measure(FLOOR, rounds, "")
        print(f"  {'floor':<26} {floor:7.1f} ms")
        for name, path in pages.items():
            median, slowest, queries = measure(path, rounds, person)
            print(f"  {name:<26} {median:7.1f} ms  (slowest {slowest:.0f}), {queries} queries")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datalabs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        prepare(state)
        fill(arguments.datalabs)
        tell(f"{arguments.datalabs} datalabs", PAGES, arguments.rounds)


if __name__ == "__main__":
    main()

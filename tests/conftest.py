"""Fixtures that every kind of test may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from support.base_images import provide
from support.engine import Engine, missing_programs, running_engine
from support.people import make_person
from support.platform import Platform, running_platform
from support.postgres import cluster, server_programs
from support.template import remove_template
from support.trail import let_flush_empty_the_trail

if TYPE_CHECKING:
    from spacelab.accounts.models import Person

let_flush_empty_the_trail()

# How long an example takes depends on what else the machine does, and is measured elsewhere.
settings.register_profile("spacelab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("spacelab")


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for the database, so that another database runs that alone."""
    for item in items:
        asked = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
        if asked or item.get_closest_marker("django_db"):
            item.add_marker("database")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove what the platforms of this run had in common, once no process of the run needs it."""
    if not hasattr(session.config, "workerinput"):
        remove_template()


@pytest.fixture
def scientist(db: None) -> Person:
    """Somebody who may launch."""
    return make_person("ada")


@pytest.fixture
def developer(db: None) -> Person:
    """Somebody who writes datalabs."""
    return make_person("dora", "developer")


@pytest.fixture
def moderator(db: None) -> Person:
    """Somebody who decides about what is published."""
    return make_person("mona", "moderator")


@pytest.fixture
def operator(db: None) -> Person:
    """Somebody who runs the platform."""
    return make_person("olga", "operator")


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """One whole platform, edge, web and controller, for all tests that need one."""
    with running_platform() as running:
        yield running


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Run a container engine for all tests that need one; its images survive the run."""
    if missing := missing_programs():
        pytest.skip(missing)
    with running_engine() as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Run a PostgreSQL server, and yield its address without a database's name."""
    programs = server_programs()
    if programs is None:
        pytest.skip("this machine has no PostgreSQL server: apt-get install postgresql")
    with cluster(programs) as address:
        yield address


@pytest.fixture(scope="session")
def postgres_platform(postgres: str) -> Iterator[Platform]:
    """One whole platform with its database in PostgreSQL."""
    with running_platform(SPACELAB_DATABASE_URL=f"{postgres}/postgres") as running:
        yield running


@pytest.fixture(scope="session")
def container_platform() -> Iterator[Platform]:
    """One whole platform whose sessions are containers of the tests' engine; its images take minutes to build."""
    missing = missing_programs()
    if missing:
        pytest.skip(missing)
    with running_platform("container") as running:
        yield running


@pytest.fixture(scope="session")
def small_container_platform(engine: Engine) -> Iterator[Platform]:
    """One whole platform on the tests' engine, without JupyterLab and its large image."""
    provide(engine, "web_base")  # in turn with other tests that need it, not beside them
    with running_platform("container", SPACELAB_CATALOGUE_DATALABS="sky-explorer") as running:
        yield running

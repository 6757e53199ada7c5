"""An upgrade from the catalogue before the lifecycle: what was published stays listed, drafts stay their author's."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

BEFORE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", "datalabs", "0003", verbosity=0)
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
apps = MigrationExecutor(connection).loader.project_state(("datalabs", "0003_opens_threads")).apps
Datalab, Version = apps.get_model("datalabs", "Datalab"), apps.get_model("datalabs", "DatalabVersion")
from django.utils import timezone
for slug, state in (("élan", "published"), ("draft", "draft"), ("old", "archived")):
    one = Datalab.objects.create(slug=slug, title=slug.capitalize(), abstract="A.", author="Ada", tags=["stars"])
    at = None if state == "draft" else timezone.now()
    opens = {"formats": ["fit"]}
    Version.objects.create(datalab=one, version="1.0", state=state, licence="MIT", published_at=at, opens=opens)
call_command("migrate", verbosity=0)
"""


@pytest.mark.slow
def test_what_was_there_keeps_its_place(tmp_path: Path) -> None:
    variables = {
        "PATH": "/usr/bin:/bin",
        "DJANGO_SETTINGS_MODULE": "spacelab.site.settings",
        "SPACELAB_STATE": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-c", BEFORE], env=variables, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (file,) = tmp_path.rglob("*.sqlite3")
    with sqlite3.connect(file) as database:
        rows = database.execute(
            "SELECT d.sort_key, v.state, v.visibility, d.listed_at IS NOT NULL,"
            " json_extract(v.metadata, '$.title'), v.kind, d.facet_index"
            " FROM datalabs_datalabversion v JOIN datalabs_datalab d ON d.id = v.datalab_id ORDER BY d.sort_key"
        ).fetchall()
    assert rows == [
        ("draft", "built", "private", 0, "Draft", "web", ""),
        ("elan", "published", "everybody", 1, "Élan", "web", "|opens:fits|"),
        ("old", "archived", "everybody", 0, "Old", "web", ""),
    ]

"""Sessions that are there keep the name of what they ran, so that its version may go."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import OuterRef, Subquery


def write_names(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Write slug, title and version of each session's version."""
    versions = apps.get_model("datalabs", "DatalabVersion").objects.filter(pk=OuterRef("version_id"))
    apps.get_model("lab_sessions", "Session").objects.exclude(version=None).update(
        datalab_slug=Subquery(versions.values("datalab__slug")[:1]),
        datalab_title=Subquery(versions.values("datalab__title")[:1]),
        version_number=Subquery(versions.values("version")[:1]),
    )


class Migration(migrations.Migration):
    """Data only."""

    dependencies = [("lab_sessions", "0006_version_as_text")]
    operations = [migrations.RunPython(write_names, migrations.RunPython.noop)]

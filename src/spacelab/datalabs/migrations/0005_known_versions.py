"""What was a draft had been built; what was published is for everybody; each version keeps what its entry says."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def bring_over(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Give the versions that are there the states and terms of the lifecycle."""
    versions = apps.get_model("datalabs", "DatalabVersion").objects
    versions.exclude(state="draft").update(visibility="everybody")
    versions.filter(state="draft").update(state="built")
    for version in versions.select_related("datalab").iterator():
        entry = version.datalab
        said = {
            "title": entry.title,
            "alternateName": entry.slug,
            "abstract": entry.abstract,
            "description": entry.description,
            "creator.name": entry.author,
            "contactPoint.email": entry.contact,
            "keywords": entry.tags,
            "version": version.version,
            "distribution.license": version.licence,
        }
        version.metadata = {name: value for name, value in said.items() if value}
        version.kind, version.icon = entry.kind, entry.icon
        version.save(update_fields=["metadata", "kind", "icon"])


class Migration(migrations.Migration):
    """Data only; there is no way back from the new states."""

    dependencies = [("datalabs", "0004_lifecycle")]
    operations = [migrations.RunPython(bring_over, migrations.RunPython.noop)]

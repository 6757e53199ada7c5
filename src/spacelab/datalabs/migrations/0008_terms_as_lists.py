"""A term that holds several texts holds a list, also where a package said only one."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

LISTS = ("creator.name", "instrument", "mission", "associatedFileType", "datalabImage.keyword")


def as_lists(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Put single texts into lists."""
    versions = apps.get_model("datalabs", "DatalabVersion").objects
    for version in versions.exclude(metadata={}).iterator():
        single = {key: [text] for key in LISTS if isinstance(text := version.metadata.get(key), str) and text}
        words = version.metadata.get("keywords")
        if isinstance(words, str):
            single["keywords"] = [text for one in words.split(",") if (text := one.strip())]
        if single:
            version.metadata |= single
            version.save(update_fields=["metadata"])


class Migration(migrations.Migration):
    """Data only; a list with one text says the same."""

    dependencies = [("datalabs", "0007_use")]
    operations = [migrations.RunPython(as_lists, migrations.RunPython.noop)]

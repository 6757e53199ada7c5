"""Lets the database refuse changes of the trail, whichever program asks for them."""

from django.db.migrations.state import StateApps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from spacelab.audit.append_only import PROTECT, RELEASE


def protect(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in PROTECT[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def release(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in RELEASE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunPython(protect, release)]

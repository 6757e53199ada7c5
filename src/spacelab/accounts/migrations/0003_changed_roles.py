"""Roles remember whether an operator changed them; for those that are there, the audit trail knows."""

from typing import Any

from django.db import migrations, models


def mark_changed(apps: Any, _schema_editor: Any) -> None:
    lines = apps.get_model("audit", "Entry").objects.filter(action="accounts.set-role-permissions")
    names = [subject.removeprefix("role:") for subject in lines.values_list("subject", flat=True)]
    apps.get_model("accounts", "Role").objects.filter(name__in=names).update(is_changed=True)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_sign_ins_invitations_addresses'),
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='role',
            name='is_changed',
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(mark_changed, migrations.RunPython.noop),
    ]

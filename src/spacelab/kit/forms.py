"""What every form that leads to an action has: a place for the action's refusal."""

from __future__ import annotations

from typing import ClassVar

from django import forms

from spacelab.kit.refusals import Invalid, Refusal


class Refusable(forms.Form):
    """A form that shows a refusal at the field at fault, or above itself."""

    names: ClassVar[dict[str, str]] = {}
    """What a refusal calls a field → what the form calls it."""
    invalid: ClassVar[str | None] = None
    """The field where invalid input stands that names no field of the form; else it stands above the form."""

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal."""
        field: str | None = self.names.get(refusal.field, refusal.field)
        if field not in self.fields:
            field = self.invalid if isinstance(refusal, Invalid) else None
        self.add_error(field, f"{refusal.message} {refusal.advice}".strip())

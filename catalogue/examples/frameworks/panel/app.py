"""A distance that a button doubles, by Panel."""

import panel as pn

pn.extension()
further = pn.widgets.Button(name="Twice as far")


def shown(clicks: int) -> str:
    """Say how far it is after so many clicks."""
    return f"{10 * 2**clicks} parsecs"


pn.Column("# How far?", further, pn.pane.Markdown(pn.bind(shown, further.param.clicks))).servable(title="How far?")

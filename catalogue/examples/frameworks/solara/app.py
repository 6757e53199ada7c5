"""A distance that a button doubles, by Solara."""

import solara

parsecs = solara.reactive(10)


@solara.component
def Page() -> None:
    """Show the button and the distance."""
    solara.Title("How far?")
    solara.Markdown("# How far?")
    solara.Button("Twice as far", on_click=lambda: parsecs.set(2 * parsecs.value))
    solara.Text(f"{parsecs.value} parsecs")

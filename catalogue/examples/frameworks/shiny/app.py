"""A distance that a button doubles, by Shiny."""

from shiny import App, render, ui

page = ui.page_fluid(ui.h1("How far?"), ui.input_action_button("further", "Twice as far"), ui.output_text("shown"))


def server(input, output, session) -> None:
    """Answer one visitor."""

    @render.text
    def shown() -> str:
        return f"{10 * 2 ** input.further()} parsecs"


app = App(page, server)

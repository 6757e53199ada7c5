"""A distance that a button doubles, by Dash."""

from dash import Dash, Input, Output, html

app = Dash(__name__, title="How far?")
app.layout = html.Main([html.H1("How far?"), html.Button("Twice as far", id="further"), html.P(id="shown")])


@app.callback(Output("shown", "children"), Input("further", "n_clicks"))
def show(clicks: int | None) -> str:
    """Say how far it is after so many clicks."""
    return f"{10 * 2 ** (clicks or 0)} parsecs"

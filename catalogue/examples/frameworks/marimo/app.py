"""A distance that a button doubles, by marimo."""

import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    mo.md("# How far?")
    return (mo,)


@app.cell
def _(mo):
    further = mo.ui.button(value=10, on_click=lambda parsecs: 2 * parsecs, label="Twice as far")
    further
    return (further,)


@app.cell
def _(further, mo):
    mo.md(f"{further.value} parsecs")
    return


if __name__ == "__main__":
    app.run()

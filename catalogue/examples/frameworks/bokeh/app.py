"""A distance that a button doubles, by Bokeh."""

from bokeh.io import curdoc
from bokeh.layouts import column
from bokeh.models import Button, Div

parsecs = 10
further, shown = Button(label="Twice as far"), Div(text="10 parsecs")


def double() -> None:
    """Go twice as far."""
    global parsecs
    parsecs *= 2
    shown.text = f"{parsecs} parsecs"


further.on_click(double)
curdoc().title = "How far?"
curdoc().add_root(column(Div(text="<h1>How far?</h1>"), further, shown))

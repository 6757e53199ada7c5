"""A distance that a button doubles, by Flask."""

from flask import Flask, request

app = Flask(__name__)
PAGE = """<!doctype html><title>How far?</title><h1>How far?</h1>
<form method="post"><input type="hidden" name="parsecs" value="{0}"><button>Twice as far</button></form><p>{0} parsecs</p>"""


@app.route("/", methods=["GET", "POST"])
def page() -> str:
    """Show the distance, doubled if the button was pressed."""
    return PAGE.format(2 * int(request.form["parsecs"]) if request.method == "POST" else 10)

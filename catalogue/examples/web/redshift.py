"""A page with the observed wavelengths of well-known lines; nothing but Python's own library."""

import html
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LINES = {"Lyman α": 121.567, "C IV": 154.9, "Mg II": 279.8, "[O II]": 372.8, "H β": 486.13, "[O III]": 500.7, "H α": 656.28}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Redshift table</title>
<h1>Redshift table</h1><form><label>Redshift <input name="z" value="{z}" inputmode="decimal"></label> <button>Show</button></form>
<p>{note}</p><table><caption>Wavelengths in nanometres</caption><tr><th>Line<th>At rest<th>Observed</tr>{rows}</table></html>"""


class Handler(BaseHTTPRequestHandler):
    """Answers every path with the table, so that it works under any prefix."""

    def do_GET(self) -> None:
        text = parse_qs(urlsplit(self.path).query).get("z", ["0.158"])[0]
        note, z = "", 0.158
        try:
            z = float(text)
        except ValueError:
            note = f"“{html.escape(text)}” is no number; this is the table for {z}."
        rows = "".join(f"<tr><td>{name}<td>{rest:.1f}<td>{rest * (1 + z):.1f}</tr>" for name, rest in LINES.items())
        page = PAGE.format(z=html.escape(text, quote=True), note=note, rows=rows).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("IF_main_port", "10000"))), Handler).serve_forever()

"""A distance that a button doubles over a WebSocket, by Starlette."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

PAGE = """<!doctype html><title>How far?</title><h1>How far?</h1><button>Twice as far</button><p></p><script>
const stream = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/stream`);
stream.onmessage = (said) => { document.querySelector("p").textContent = `${said.data} parsecs`; };
document.querySelector("button").onclick = () => stream.send("further");
</script>"""


async def page(request: Request) -> HTMLResponse:
    """Return the page."""
    return HTMLResponse(PAGE)


async def follow(stream: WebSocket) -> None:
    """Tell the distance, and double it for each message."""
    await stream.accept()
    parsecs = 10
    while True:
        await stream.send_text(str(parsecs))
        await stream.receive_text()
        parsecs *= 2


app = Starlette(routes=[Route("/", page), WebSocketRoute("/stream", follow)])

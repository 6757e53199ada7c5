"""A distance that a button doubles over a WebSocket, by FastAPI."""

from fastapi import FastAPI, WebSocket
from fastapi.responses import HTMLResponse

app = FastAPI()
PAGE = """<!doctype html><title>How far?</title><h1>How far?</h1><button>Twice as far</button><p></p><script>
const stream = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/stream`);
stream.onmessage = (said) => { document.querySelector("p").textContent = `${said.data} parsecs`; };
document.querySelector("button").onclick = () => stream.send("further");
</script>"""


@app.get("/", response_class=HTMLResponse)
def page() -> str:
    """Return the page."""
    return PAGE


@app.websocket("/stream")
async def follow(stream: WebSocket) -> None:
    """Tell the distance, and double it for each message."""
    await stream.accept()
    parsecs = 10
    while True:
        await stream.send_text(str(parsecs))
        await stream.receive_text()
        parsecs *= 2

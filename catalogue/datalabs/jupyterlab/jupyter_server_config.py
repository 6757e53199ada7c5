"""JupyterLab behind an edge that has authorised every request before it arrives here."""

import os
from pathlib import Path

c = get_config()  # noqa: F821

# In a sandbox this is "/"; without one it is a folder of links with the same paths below it.
ROOT = Path(os.environ.get("SPACELAB_DATA", "/data")).parent
WORKSPACE = ROOT / "media" / "user"

# Where JupyterLab finds the labconfig/ beside this file: its question about news leads to a host that a session may not
# reach.
os.environ["JUPYTER_CONFIG_PATH"] = str(Path(__file__).parent)

c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = int(os.environ.get("IF_main_port", "10000"))
c.ServerApp.port_retries = 0
c.ServerApp.base_url = f"/datalabs/{os.environ.get('IF_main_id', 'main')}/"
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
# The edge lets in only the session's owner, so a second key would be one more secret to lose.
c.IdentityProvider.token = ""
c.PasswordIdentityProvider.hashed_password = ""
c.PasswordIdentityProvider.password_required = False
c.ServerApp.allow_remote_access = True
c.ServerApp.trust_xheaders = True
c.ServerApp.terminals_enabled = True
c.ServerApp.root_dir = str(ROOT)
# Terminals, and kernels without a notebook, begin beside the file that is opened first.
OPENED = os.environ.get("SPACELAB_OPEN", "").partition("\n")[0]
BEGIN = Path(OPENED).parent if OPENED else WORKSPACE
c.ServerApp.preferred_dir = str(BEGIN if BEGIN.is_dir() else ROOT)
if BEGIN.is_dir():
    os.chdir(BEGIN)
c.ContentsManager.allow_hidden = False
# The platform's idle policy is the only one, and it never stops a busy kernel.
c.MappingKernelManager.cull_idle_timeout = 0
c.TerminalManager.cull_inactive_timeout = 0
c.ServerApp.shutdown_no_activity_timeout = 0
# jupyter-server-documents sets these classes itself, in some orders of start-up after the server has made its own; a
# notebook whose room knows no kernel runs no cell, and says nothing.
c.ServerApp.session_manager_class = "jupyter_server_documents.session_manager.YDocSessionManager"
DOCUMENTS_SOCKET = "jupyter_server_documents.websocket_connection.KernelWebsocketConnection"
c.ServerApp.kernel_websocket_connection_class = DOCUMENTS_SOCKET
# A notebook that nobody looks at would be freed after five minutes, and its cells would run nowhere when she is back.
# It stays for as long as the session: ten years, in seconds.
c.YRoomManager.auto_free_interval = 315_360_000
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"

"""JupyterLab as a datalab: the platform's proxy has authorised every request before it arrives here."""

import os
from pathlib import Path

c = get_config()  # noqa: F821

WORKSPACE = Path("/media/user")

c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = int(os.environ.get("IF_main_port", "10000"))  # noqa: SIM112  ESA's name
c.ServerApp.port_retries = 0
c.ServerApp.base_url = f"/datalabs/{os.environ.get('IF_main_id', 'main')}/"  # noqa: SIM112  as above
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
# The proxy lets in only those who may, so a second key would be one more secret to lose.
c.IdentityProvider.token = ""
c.PasswordIdentityProvider.hashed_password = ""
c.PasswordIdentityProvider.password_required = False
c.ServerApp.allow_remote_access = True
c.ServerApp.trust_xheaders = True
c.ServerApp.root_dir = "/"
# Terminals, and kernels without a notebook, begin beside the file that is opened first.
OPENED = os.environ.get("SPACELAB_OPEN", "").partition("\n")[0]
BEGIN = Path(OPENED).parent if OPENED else WORKSPACE
c.FileContentsManager.preferred_dir = str(BEGIN if BEGIN.is_dir() else Path.home())
if BEGIN.is_dir():
    os.chdir(BEGIN)
c.ContentsManager.allow_hidden = False
# The platform's idle policy is the only one, and it never stops a busy kernel.
c.MappingKernelManager.cull_idle_timeout = 0
c.TerminalManager.cull_inactive_timeout = 0
c.ServerApp.shutdown_no_activity_timeout = 0
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"

# The portal may show a datalab in a frame of its own page; nobody else may.
ancestors = " ".join(word for word in ("frame-ancestors", os.environ.get("DATALABS_URL", ""), "'self'") if word)
c.ServerApp.tornado_settings = {"headers": {"Content-Security-Policy": ancestors}}

# A package's own settings come last, so they win.
for name in ("jupyter_notebook_config.py", "jupyter_server_config.py"):
    if Path("/etc", name).is_file():
        load_subconfig(name, path="/etc")  # noqa: F821

"""Django's settings for tests: the product's own, with a state directory for each process, which ends with the run."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "SPACELAB_STATE" not in os.environ:
    _state = tempfile.mkdtemp(prefix="spacelab-tests-")
    os.environ["SPACELAB_STATE"] = _state
    atexit.register(shutil.rmtree, _state, ignore_errors=True)
if (_worker := os.environ.get("PYTEST_XDIST_WORKER")) and Path(os.environ["SPACELAB_STATE"]).name != _worker:
    _own = Path(os.environ["SPACELAB_STATE"]) / _worker  # programs that a test starts have their worker's
    _own.mkdir(parents=True, exist_ok=True)
    os.environ["SPACELAB_STATE"] = str(_own)

from spacelab.site.settings import *  # noqa: F403  the environment has to be set first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # argon2 is slow on purpose; one test uses it
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if not SPACELAB.database_url:  # noqa: F405  one of the product's settings
    # In a file, as in the product: in memory, the threads of a test would lock each other out.
    DATABASES["default"]["TEST"] = {"NAME": SPACELAB.state / "test.sqlite3"}  # noqa: F405  as above

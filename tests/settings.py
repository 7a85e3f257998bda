"""The settings of mbaas for tests: a data folder of this process's own, and passwords hashed cheaply.

Variables of the shell that would change the settings are dropped; MBAAS_TEST_* stay, which say what
servers the tests may use (``python -m tests.services``).
"""

import atexit
import os
import shutil
import tempfile

_CONTROL_VARIABLE = "MBAAS_TEST_CONTROL"  # "postgres": the control plane's tables live there too

for _name in list(os.environ):
    if _name.startswith("MBAAS_") and not _name.startswith("MBAAS_TEST_"):
        del os.environ[_name]

# Each xdist worker is a process and reads the settings once.
_data_dir = tempfile.mkdtemp(prefix="mbaas-tests-")
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)
os.environ["MBAAS_DATA_DIR"] = _data_dir
if os.environ.get(_CONTROL_VARIABLE) == "postgres":
    os.environ["MBAAS_DATABASE_URL"] = os.environ["MBAAS_TEST_POSTGRES"]

from mbaas.settings import *  # noqa: E402, F403
from mbaas.settings import DATABASES, MBAAS_DATA_DIR, PASSWORD_HASHERS  # noqa: E402

if "MBAAS_DATABASE_URL" not in os.environ:
    # A file, as in production: with several threads it behaves unlike a database in memory.
    DATABASES["default"]["TEST"] = {"NAME": str(MBAAS_DATA_DIR / "control-test.sqlite3")}

# Milliseconds instead of a tenth of a second; the real ones still verify.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]

"""`python -m services.memory`: read the settings, serve the Memory until SIGTERM."""

import sys

from services.memory.service import serve
from srl_common.service import run
from srl_common.settings import MemorySettings, read_or_exit

if __name__ == "__main__":
    settings = read_or_exit(MemorySettings)
    sys.exit(run(settings, lambda stop: serve(settings, stop)))

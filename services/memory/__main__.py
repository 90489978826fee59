"""`python -m services.memory`: read the settings, serve the Memory until SIGTERM."""

import sys

from srl_common.service import end_when_asked, run
from srl_common.settings import MemorySettings, read_or_exit

if __name__ == "__main__":
    end_when_asked()
    settings = read_or_exit(MemorySettings)
    from services.memory.service import main

    sys.exit(run(settings, lambda stop: main(settings, stop)))

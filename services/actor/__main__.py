"""`python -m services.actor`: read the settings, act until SIGTERM."""

import sys

from srl_common.service import end_when_asked, run
from srl_common.settings import ActorSettings, read_or_exit

if __name__ == "__main__":
    end_when_asked()
    settings = read_or_exit(ActorSettings)
    from services.actor.service import main

    sys.exit(run(settings, lambda stop: main(settings, stop)))

"""`python -m services.actor`: read the settings, act until SIGTERM."""

import sys

from services.actor.service import act
from srl_common.service import run
from srl_common.settings import ActorSettings, read_or_exit

if __name__ == "__main__":
    settings = read_or_exit(ActorSettings)
    sys.exit(run(settings, lambda stop: act(settings, stop)))

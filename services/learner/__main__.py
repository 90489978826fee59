"""`python -m services.learner`: read the settings, train until the limits of the job or SIGTERM."""

import sys

from srl_common.service import end_when_asked, run
from srl_common.settings import LearnerSettings, read_or_exit

if __name__ == "__main__":
    end_when_asked()
    settings = read_or_exit(LearnerSettings)
    from services.learner.service import main

    sys.exit(run(settings, lambda stop: main(settings, stop)))

"""`python -m services.learner`: read the settings, train until the limits of the job or SIGTERM."""

import sys

from services.learner.service import learn
from srl_common.service import run
from srl_common.settings import LearnerSettings, read_or_exit

if __name__ == "__main__":
    settings = read_or_exit(LearnerSettings)
    sys.exit(run(settings, lambda stop: learn(settings, stop)))

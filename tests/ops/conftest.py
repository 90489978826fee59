"""What tests of ops use: the repository's folder `ops`, and services started one by one."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "process")]

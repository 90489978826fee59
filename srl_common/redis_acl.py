"""What each Redis user may do, and the ACL file that says so.

Rules name commands and keys. Scripts run with the rights of the user who calls them, so that a user who may run
scripts can do nothing by them that plain commands would not let it do.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from srl_common.errors import CorruptError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SCRIPTS = "-@scripting +eval +evalsha +script|load +script|exists"
"""What a client library needs to run a script: not to flush or kill those of others."""
_WRITE = f"+@connection +@transaction +@read +@write +@pubsub -@admin -@dangerous {_SCRIPTS} +select +time +info"
_READ = (
    f"+@connection +@transaction +@read -@admin -@dangerous -scan -randomkey {_SCRIPTS} +select +time "
    "+subscribe +unsubscribe +psubscribe +punsubscribe"
)
_ALL_KEYS = "~srl:* &srl:*"
_WORKER_KEYS = "~srl:{*-worker}:* &srl:{*-worker}:*"
"""The parameter that an actor hands over at its end: `services.snapshot.worker_job`."""

RULES = {
    "learner": f"{_ALL_KEYS} {_WRITE}",
    "memory": f"{_ALL_KEYS} {_WRITE}",
    "client": f"{_ALL_KEYS} {_WRITE}",
    "actor": f"{_WORKER_KEYS} {_WRITE} -scan -randomkey -info ({_ALL_KEYS} {_READ})",
}
"""By role. The part in parentheses is a second set of rights, beside the first, as Redis has them from version 7 on."""
RULES_REDIS_6 = {**RULES, "actor": f"{_ALL_KEYS} {_READ}"}
"""Redis 6.2 has one set of rights a user: actors only read, and cannot hand over their own parameter."""

_NOBODY = "user default off resetpass ~* &* +@all"
"""Nobody can become this user: it is off. Redis itself is, when it reads its append-only file at the start: without
these rights it would leave out what scripts wrote (redis/redis issue 14541)."""
_HEALTH = "user health reset on nopass resetchannels -@all +ping"


def hash_of(password: str) -> str:
    """Return what the ACL file has in place of a password."""
    return hashlib.sha256(password.encode()).hexdigest()


def render(users: Mapping[str, str], rules: Mapping[str, str]) -> str:
    """Return the ACL file for users, given as name -> hash of the password; a name begins with its role."""
    lines = [
        f"user {name} reset on #{users[name]} resetchannels -@all {rules[name.partition('-')[0]]}"
        for name in sorted(users)
    ]
    return "\n".join([_NOBODY, _HEALTH, *lines, ""])


def parse(lines: Iterable[str], where: str) -> dict[str, str]:
    """Return name -> hash of the password of the users in an ACL file that `render` made. Raises CorruptError."""
    users = {}
    for line in lines:
        words = line.split()
        if words[:2] in (_NOBODY.split()[:2], _HEALTH.split()[:2]):
            continue
        hashes = [word[1:] for word in words if word.startswith("#")]
        if words[:1] != ["user"] or len(hashes) != 1 or words[1].partition("-")[0] not in RULES:
            raise CorruptError(
                f"{where} is not as `srl keys` wrote it, in the line '{line[:40]}': restore or delete it"
            )
        users[words[1]] = hashes[0]
    return users

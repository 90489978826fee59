"""A job board in Redis: for machines that share nothing else.

What changes the board is one Lua script, which Redis runs in one step. What only reads uses plain commands, so that
a user who may neither write nor run scripts can follow the board.

Keys, all of which begin with `srl:board:` (they need one Redis, not a Redis cluster):

    last_id         the number that was last given away
    jobs, line      lists of ids: of all jobs, of those that wait
    running         the id of the running job
    digests         hash: digest -> id, of all that were ever submitted
    job:7           hash: the fields of JobEntry, and the job's bytes
    reports:7       hash: service -> report
    history:7       list of reports
    tuning:7        hash: name -> value
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from srl_common import codec
from srl_common.job_board import (
    FIELDS,
    HISTORY_ROWS_MAX,
    JobEntry,
    JobState,
    check_size,
    pack_report,
    refused_id,
    refused_in,
    to_entry,
    unknown_job,
    unpack_history,
    unpack_plain,
)
from srl_common.redis_connection import connect, without_password
from srl_common.redis_refusals import explained

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Mapping

PREFIX = "srl:board:"

_SCRIPT = """
local function key(name, id) return 'srl:board:' .. name .. (id and ':' .. id or '') end
local function state(id) return redis.call('HGET', key('job', id), 'state') end
local verbs = {}

local function new_id()
  local id
  repeat
    id = string.format('%d', redis.call('INCR', key('last_id')))
  until redis.call('EXISTS', 'srl:{job-' .. id .. '}:epoch') == 0
  return id
end

local function put(id, now, job, name, digest)
  redis.call('HSET', key('job', id), 'name', name, 'digest', digest, 'state', 'waiting', 'life', 0,
             'submitted_s', now, 'begun_s', 0, 'ended_s', 0, 'reason', '', 'stop_asked', 0, 'job', job)
  redis.call('RPUSH', key('jobs'), id)
  redis.call('RPUSH', key('line'), id)
  redis.call('HSETNX', key('digests'), digest, id)
  return id
end

function verbs.new_id() return {'', new_id()} end

function verbs.submit(id, now, job, name, digest)
  if state(id) and redis.call('HGET', key('job', id), 'digest') == digest then
    return {'', id}
  end
  if state(id) or not string.match(id, '^[1-9]%d*$')
     or tonumber(id) > tonumber(redis.call('GET', key('last_id')) or '0') then
    return {'refused', ''}
  end
  return {'', put(id, now, job, name, digest)}
end

function verbs.submit_once(_, now, job, name, digest)
  local known = redis.call('HGET', key('digests'), digest)
  if known then
    return {'', known}
  end
  return {'', put(new_id(), now, job, name, digest)}
end

function verbs.take(_, now)
  if redis.call('EXISTS', key('running')) == 0 then
    local id = redis.call('LPOP', key('line'))
    if id then
      redis.call('HSET', key('job', id), 'state', 'running', 'begun_s', now)
      redis.call('HINCRBY', key('job', id), 'life', 1)
      redis.call('SET', key('running'), id)
    end
  end
  return {'', ''}
end

verbs['end'] = function(id, now, life, new_state, reason)
  if not state(id) then return {'unknown', ''} end
  if state(id) ~= 'running' or redis.call('HGET', key('job', id), 'life') ~= life then
    return {'', ''}
  end
  redis.call('HSET', key('job', id), 'state', new_state, 'reason', reason, 'ended_s', now)
  redis.call('DEL', key('running'))
  return {'', 'ended'}
end

function verbs.ask_to_stop(id, now)
  local found = state(id)
  if not found then return {'unknown', ''} end
  if found == 'waiting' then
    redis.call('LREM', key('line'), 0, id)
    redis.call('HSET', key('job', id), 'state', 'stopped', 'reason', 'stopped before it began', 'ended_s', now)
  elseif found == 'running' then
    redis.call('HSET', key('job', id), 'stop_asked', 1)
  end
  return {'', ''}
end

function verbs.resume(id, now)
  local found = state(id)
  if not found then return {'unknown', ''} end
  if found == 'waiting' or found == 'running' then return {found, ''} end
  redis.call('HSET', key('job', id), 'state', 'waiting', 'submitted_s', now, 'begun_s', 0, 'ended_s', 0,
             'reason', '', 'stop_asked', 0)
  redis.call('RPUSH', key('line'), id)
  return {'', ''}
end

function verbs.delete(id)
  local found = state(id)
  if not found then return {'unknown', ''} end
  if found == 'running' then return {found, ''} end
  redis.call('LREM', key('line'), 0, id)
  redis.call('LREM', key('jobs'), 0, id)
  redis.call('DEL', key('job', id), key('reports', id), key('history', id), key('tuning', id))
  return {'', ''}
end

function verbs.report(id, _, service, data, row, rows_max)
  if not state(id) then return {'unknown', ''} end
  redis.call('HSET', key('reports', id), service, data)
  if row ~= '' then
    redis.call('RPUSH', key('history', id), row)
    redis.call('LTRIM', key('history', id), -tonumber(rows_max), -1)
  end
  return {'', ''}
end

function verbs.tune(id, _, ...)
  if not state(id) then return {'unknown', ''} end
  if select('#', ...) > 0 then redis.call('HSET', key('tuning', id), ...) end
  return {'', ''}
end

return verbs[ARGV[1]](unpack(ARGV, 2))
"""
"""Called with (verb, id, now, ...). Returns {what is wrong, answer}."""


class RedisBoard:
    """A board in Redis.

    Args:
        url: redis://user:password@host:port/db, rediss:// or unix://. Connects at the first call.
        keys_dir: where the password is if the address has none.
    """

    def __init__(self, url: str, keys_dir: str = "") -> None:
        self._where = f"the job board {without_password(url)}"
        self._redis: Any = connect(url, keys_dir)
        self._script = self._redis.register_script(_SCRIPT)

    # --- the line

    def new_id(self) -> str:
        """Return an id that no job has had."""
        return self._call("new_id", "")

    def submit(self, job_id: str, job: bytes, name: str, digest: str) -> None:
        """Put a job at the end of the line."""
        check_size(job, name)
        self._call("submit", job_id, job, name, digest)

    def submit_once(self, job: bytes, name: str, digest: str) -> str:
        """Put a job at the end of the line unless one with this digest was ever there."""
        check_size(job, name)
        return self._call("submit_once", "", job, name, digest)

    def take(self) -> JobEntry | None:
        """Return the running job, or let the oldest that waits begin."""
        self._call("take", "")
        return self.running()

    def end(self, job_id: str, life: int, state: JobState, reason: str) -> bool:
        """Say that the running job is over."""
        return self._call("end", job_id, life, str(state), reason) == "ended"

    def ask_to_stop(self, job_id: str) -> JobEntry:
        """Ask for the end of a job."""
        self._call("ask_to_stop", job_id)
        return self.entry(job_id)

    def resume(self, job_id: str) -> JobEntry:
        """Put a job that is over at the end of the line again."""
        self._call("resume", job_id)
        return self.entry(job_id)

    def delete(self, job_id: str) -> None:
        """Forget a job that is not running."""
        self._call("delete", job_id)

    # --- what is there

    def running(self) -> JobEntry | None:
        """Return the running job."""
        with self._refusals():
            job_id = self._redis.get(_key("running"))
        entry = None if job_id is None else self._find(job_id.decode())
        return entry if entry is not None and entry.state is JobState.RUNNING else None

    def entry(self, job_id: str) -> JobEntry:
        """Return what is known of a job."""
        entry = self._find(job_id)
        if entry is None:
            raise self._unknown(job_id)
        return entry

    def entries(self) -> list[JobEntry]:
        """Return all jobs, oldest first."""
        found = [self._find(job_id) for job_id in self._ids()]
        return [entry for entry in found if entry is not None]  # one may have been deleted meanwhile

    def fetch(self, job_id: str) -> bytes:
        """Return the job itself."""
        with self._refusals():
            job: bytes | None = self._redis.hget(_key("job", job_id), "job")
        if job is None:
            raise self._unknown(job_id)
        return job

    # --- how it is going

    def report(self, job_id: str, service: str, counters: Mapping[str, Any], *, keep: bool = False) -> None:
        """Say how a job is going."""
        data, row = pack_report(service, counters)
        self._call("report", job_id, service, data, row if keep else b"", HISTORY_ROWS_MAX)

    def reports(self, job_id: str) -> dict[str, dict[str, Any]]:
        """Return the last report of each service."""
        return self._unpack_hash("reports", job_id)

    def history(self, job_id: str) -> list[dict[str, Any]]:
        """Return the reports that were kept, oldest first."""
        self._require(job_id)
        with self._refusals():
            rows = self._redis.lrange(_key("history", job_id), 0, -1)
        return unpack_history(rows, job_id)

    def tune(self, job_id: str, values: Mapping[str, Any]) -> None:
        """Set values that services look at."""
        self._call("tune", job_id, *[each for name, value in values.items() for each in (name, codec.pack(value))])

    def tuning(self, job_id: str) -> dict[str, Any]:
        """Return the values set by `tune`."""
        return self._unpack_hash("tuning", job_id)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _call(self, verb: str, job_id: str, *args: Any) -> str:
        with self._refusals():
            wrong, answer = self._script(args=[verb, job_id, repr(time.time()), *args])
        if wrong == b"unknown":
            raise self._unknown(job_id)
        if wrong == b"refused":
            raise refused_id(job_id)
        if wrong:
            raise refused_in(wrong.decode(), job_id)
        return str(answer.decode())

    def _ids(self) -> list[str]:
        with self._refusals():
            return [job_id.decode() for job_id in self._redis.lrange(_key("jobs"), 0, -1)]

    def _find(self, job_id: str) -> JobEntry | None:
        with self._refusals():
            values: list[bytes | None] = self._redis.hmget(_key("job", job_id), FIELDS)
        found = [value for value in values if value is not None]
        return to_entry(job_id, (str(value, "utf-8") for value in found)) if found else None

    def _require(self, job_id: str) -> None:
        with self._refusals():
            if not self._redis.exists(_key("job", job_id)):
                raise self._unknown(job_id)

    def _unknown(self, job_id: str) -> Exception:
        return unknown_job(job_id, self._ids())

    def _unpack_hash(self, name: str, job_id: str) -> dict[str, Any]:
        self._require(job_id)
        with self._refusals():
            found = self._redis.hgetall(_key(name, job_id))
        return {each.decode(): unpack_plain(data, f"the {name} of job {job_id}") for each, data in found.items()}

    def _refusals(self) -> contextlib.AbstractContextManager[None]:
        return explained(self._where)


def _key(name: str, job_id: str = "") -> str:
    return f"{PREFIX}{name}:{job_id}" if job_id else f"{PREFIX}{name}"

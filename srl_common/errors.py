"""One hierarchy of errors, and the exit code that each means for a service process.

An error names whose fault it is: ours (`InternalError`), the peer's (`PeerError`) or the user's (`UserError`).
A service prints a user's error in one line, without a stack.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_INTERNAL = 70
EXIT_PEER = 76
EXIT_USER = 78
EXIT_AUTHOR = 65


class ClusterError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code = EXIT_INTERNAL


class InternalError(ClusterError):
    """A bug of ours: a promise of this package does not hold."""


class CreditExhausted(InternalError):  # noqa: N818  a state of the window, which the caller asks for before
    """A call was pushed though the receiver has not allowed it."""


class UserError(ClusterError):
    """Something that the user can change: a setting, a value, a file. The message says what and how."""

    exit_code = EXIT_USER


class SettingError(UserError):
    """A setting is unknown, misspelt or out of its range."""


class EncodeError(UserError):
    """A value has a part that cannot travel. The message names the type and the path inside the value."""


class StorageError(UserError):
    """A disk or a store refused: full, read-only, absent."""


class FullError(StorageError):
    """A store has no room left for what is to be written."""


class AccessError(StorageError):
    """A store does not let this process in: a password or a permission is wrong. To wait does not mend that."""


class CorruptError(UserError):
    """Stored bytes are not what was written: a flipped bit, a foreign file."""


class UnknownVersionError(UserError):
    """A snapshot is asked for that is not kept. The message names those that are."""


class UnknownJobError(UserError):
    """The job board has no job of that id. The message names those that it has."""


class PeerError(ClusterError):
    """The other side did something that the protocol does not allow."""

    exit_code = EXIT_PEER


class DecodeError(PeerError):
    """Bytes that are not a message, or that exceed a limit."""


class ForgottenError(PeerError):
    """A receiver does not have calls that it had acknowledged: its journal is off, lost or an older one."""


class RefusedError(PeerError):
    """The other side refused this one: another protocol, another job. The message names both versions."""

    exit_code = EXIT_USER


class OtherJobError(PeerError):
    """The other side works for another job: the one that took it, or the one that is over."""


class LostBatchesError(OtherJobError):
    """A learner's snapshots lack batches that the other side has let go: the two do not belong together any more."""


class UndeliveredError(PeerError):
    """The time to drain is over, and the other side has not taken what was still to be sent."""


class StaleSnapshotError(PeerError):
    """A snapshot that is not newer than the stored one was to be published: another learner took over."""


class AuthorError(ClusterError):
    """An exception in the author's code: which service, which hook, and the traceback of that process."""

    exit_code = EXIT_AUTHOR

    def __init__(self, service: str, hook: str, traceback_text: str) -> None:
        super().__init__(f"{hook} failed in the {service}:\n{traceback_text}")
        self.service = service
        self.hook = hook
        self.traceback_text = traceback_text

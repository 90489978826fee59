"""A disk that has no room, for a moment."""

import contextlib
import resource


@contextlib.contextmanager
def files_of_at_most(size):
    """Let no file of this process grow beyond so many bytes: the error is that of the kernel."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

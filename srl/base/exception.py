"""Errors of the library: each says what is wrong, where, and what to change."""


class SRLError(Exception):
    """Base of the library's own errors."""


class UndefinedError(SRLError):
    """A name that nothing is registered under."""


class NotSupportedError(SRLError):
    """A combination that cannot work."""


class TFLayerError(SRLError):
    """A layer definition for another framework."""


class DistributionError(SRLError):
    """Distributed training could not go on."""

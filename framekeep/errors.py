"""Failures that stop the program at once, each with its documented exit code and one sentence.

A failure with one picture is no exception of this kind: it becomes a decision with a reason.
"""

from typing import ClassVar


class FramekeepError(Exception):
    """The base: its text is one sentence that tells an administrator what is wrong and what to do."""

    exit_code: ClassVar[int] = 1


class StuckError(FramekeepError):
    """A thread inside a decoder does not end, or a GPU fails for good: the process has to end and start again."""


class UsageError(FramekeepError):
    """What was asked for makes no sense."""

    exit_code = 2


class ConfigurationError(FramekeepError):
    """The configuration cannot be used; all that is wrong with it is told at once."""

    exit_code = 10


class AlreadyRunningError(FramekeepError):
    """Another instance holds the lock of a watched root."""

    exit_code = 11


class ModelUnavailableError(FramekeepError):
    """The model cannot be loaded, or its weights are not the ones that were asked for."""

    exit_code = 12


class LedgerError(FramekeepError):
    """The ledger cannot be opened, written or understood."""

    exit_code = 13


class DamageFoundError(FramekeepError):
    """A verification found damage."""

    exit_code = 14


class BreakerOpenError(FramekeepError):
    """The breaker is open: pictures are decided, but not replaced, until a person resumes it."""

    exit_code = 15

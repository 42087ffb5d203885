"""Exit codes of every command, in one table."""

from enum import IntEnum

from nmrshift.errors import ConfigError, NmrshiftError, UnknownNucleusError


class ExitCode(IntEnum):
    """What the shell sees."""

    OK = 0
    ERROR = 1
    USAGE = 2
    SOME_FAILED = 3
    ALL_FAILED = 4
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANING: dict[ExitCode, str] = {
    ExitCode.OK: "every molecule was predicted",
    ExitCode.ERROR: "the command could not finish",
    ExitCode.USAGE: "the command was called in a way it does not understand",
    ExitCode.SOME_FAILED: "some molecules failed; the others were predicted",
    ExitCode.ALL_FAILED: "every molecule failed",
    ExitCode.INTERRUPTED: "interrupted from the keyboard",
    ExitCode.BROKEN_PIPE: "the reader of standard output went away",
}


def exit_code_of(error: NmrshiftError) -> ExitCode:
    """Return the exit code of an error that ends a command."""
    usage = isinstance(error, UnknownNucleusError | ConfigError)
    return ExitCode.USAGE if usage else ExitCode.ERROR


def outcome(n_ok: int, n_failed: int) -> ExitCode:
    """Return the exit code of a finished run from its numbers of answers."""
    if n_failed == 0:
        return ExitCode.OK
    return ExitCode.SOME_FAILED if n_ok else ExitCode.ALL_FAILED

"""The exceptions of licentia: one class per code of ``docs/errors.md``, in a few groups.

Every one is an ``Error``. ``error.code`` is the same word in every language, and the message
says what was found and, after a colon, what to do about it.
"""

__all__ = [
    "Error",
    "LicenseError",
    "KeySetError",
    "ServerError",
    "StateError",
    "ArgumentError",
    "FileError",
    "InternalError",
    "MalformedError",
    "UnknownKeyError",
    "BadSignatureError",
    "WrongProductError",
    "WrongMachineError",
    "WrongKindError",
    "WrongIssuerError",
    "TooNewError",
    "TooLargeError",
    "WrongInstallationError",
    "NotYetValidError",
    "ExpiredError",
    "RevokedError",
    "SuspendedError",
    "ClockRollbackError",
    "TokenExpiredError",
    "SyncOverdueError",
    "NotLicensedError",
    "NotGrantedError",
    "LimitExceededError",
    "NoSeatError",
    "OlderThanInstalledError",
    "AlreadyUsedError",
    "BadTimestampError",
    "UnreachableError",
    "RefusedError",
    "NoTransportError",
    "InvalidKeyError",
    "WeakKeyError",
    "KeyRetiredError",
    "KeyCompromisedError",
    "KeyNotYetValidError",
    "KeyPermissionsError",
    "WeakBindingError",
    "StateCorruptError",
    "StateUnavailableError",
    "BusyError",
    "DiskFullError",
]


class Error(Exception):
    """What every failure of licentia is."""

    code: str = "internal"
    """The word for it, the same in every language, such as ``expired``."""

    number: int = 3
    """The number for it, the same as in C."""


class LicenseError(Error):
    """What was signed does not do: it is altered, foreign, not in force, or spent."""


class KeySetError(Error):
    """The text that should hold keys does not do."""


class ServerError(Error):
    """The vendor's server could not be reached, or said no."""


class StateError(Error):
    """What is kept on this machine cannot be used."""


class ArgumentError(Error, ValueError):
    """An argument was NULL, out of range, of an unknown name, or not UTF-8."""

    code = "invalid_argument"
    number = 1


class FileError(Error, OSError):
    """A file could not be read or written."""

    code = "io"
    number = 2


class InternalError(Error):
    """A bug in licentia. The handle is still safe to free."""

    code = "internal"
    number = 3


class MalformedError(LicenseError):
    """The bytes are not a license."""

    code = "malformed"
    number = 10


class UnknownKeyError(LicenseError):
    """The license was signed by a key this product does not trust."""

    code = "unknown_key"
    number = 11


class BadSignatureError(LicenseError):
    """The license was altered after it was signed."""

    code = "bad_signature"
    number = 12


class WrongProductError(LicenseError):
    """The license is for another product."""

    code = "wrong_product"
    number = 13


class WrongMachineError(LicenseError):
    """The license is bound to another machine."""

    code = "wrong_machine"
    number = 14


class WrongKindError(LicenseError):
    """It is signed, but it is another kind of document."""

    code = "wrong_kind"
    number = 15


class WrongIssuerError(LicenseError):
    """Another issuer than the expected one signed it."""

    code = "wrong_issuer"
    number = 16


class TooNewError(LicenseError):
    """It needs something that this version of the product does not know."""

    code = "too_new"
    number = 17


class TooLargeError(LicenseError):
    """It is larger than any real one."""

    code = "too_large"
    number = 18


class WrongInstallationError(LicenseError):
    """The license is bound to another installation or instance."""

    code = "wrong_installation"
    number = 19


class NotYetValidError(LicenseError):
    """The license has not begun."""

    code = "not_yet_valid"
    number = 20


class ExpiredError(LicenseError):
    """The license has ended, its grace period with it."""

    code = "expired"
    number = 21


class RevokedError(LicenseError):
    """The vendor withdrew the license."""

    code = "revoked"
    number = 22


class SuspendedError(LicenseError):
    """The vendor put the license on hold."""

    code = "suspended"
    number = 23


class ClockRollbackError(LicenseError):
    """The clock is behind a time that has already been seen."""

    code = "clock_rollback"
    number = 24


class TokenExpiredError(LicenseError):
    """The token was to be renewed and was not, and the time allowed for that is over."""

    code = "token_expired"
    number = 25


class SyncOverdueError(LicenseError):
    """The vendor's server has not been reached for longer than the license allows."""

    code = "sync_overdue"
    number = 26


class NotLicensedError(LicenseError):
    """There is no license."""

    code = "not_licensed"
    number = 30


class NotGrantedError(LicenseError):
    """The license does not grant the feature."""

    code = "not_granted"
    number = 31


class LimitExceededError(LicenseError):
    """The use would go past the feature's limit."""

    code = "limit_exceeded"
    number = 32


class NoSeatError(LicenseError):
    """Every seat is taken."""

    code = "no_seat"
    number = 33


class OlderThanInstalledError(LicenseError):
    """A newer license is installed."""

    code = "older_than_installed"
    number = 34


class AlreadyUsedError(LicenseError):
    """It was for one use, and was used."""

    code = "already_used"
    number = 35


class BadTimestampError(LicenseError):
    """The time at which a message was sent is too far from the clock of this machine."""

    code = "bad_timestamp"
    number = 36


class UnreachableError(ServerError, ConnectionError):
    """No answer came from the server."""

    code = "unreachable"
    number = 40


class RefusedError(ServerError):
    """The server said no."""

    code = "refused"
    number = 41


class NoTransportError(ServerError):
    """There is no way to send it from here."""

    code = "no_transport"
    number = 42


class InvalidKeyError(KeySetError):
    """The text is not a usable key or key set."""

    code = "invalid_key"
    number = 50


class WeakKeyError(KeySetError):
    """The key is one of the few that anyone can sign for."""

    code = "weak_key"
    number = 51


class KeyRetiredError(LicenseError):
    """The key was retired before the license was signed."""

    code = "key_retired"
    number = 52


class KeyCompromisedError(LicenseError):
    """The key was stolen: nothing it signed is believed."""

    code = "key_compromised"
    number = 53


class KeyNotYetValidError(LicenseError):
    """The license was signed before its key's time."""

    code = "key_not_yet_valid"
    number = 54


class KeyPermissionsError(KeySetError, PermissionError):
    """Others may read the private key."""

    code = "key_permissions"
    number = 55


class WeakBindingError(Error):
    """The license was asked to bind to too little to tell machines apart."""

    code = "weak_binding"
    number = 56


class StateCorruptError(StateError):
    """What was kept on this machine is damaged."""

    code = "state_corrupt"
    number = 60


class StateUnavailableError(StateError):
    """What is kept on this machine cannot be reached."""

    code = "state_unavailable"
    number = 61


class BusyError(StateError):
    """Another process holds the state."""

    code = "busy"
    number = 62


class DiskFullError(StateError, OSError):
    """The disk is full."""

    code = "disk_full"
    number = 63


_BY_CODE: dict[str, type[Error]] = {
    leaf.code: leaf
    for leaf in list(globals().values())
    if isinstance(leaf, type) and issubclass(leaf, Error) and "code" in vars(leaf)
}


def _from_code(code: str, number: int, message: str) -> Error:
    """The exception for a code; an ``Error`` that carries it where there is no class."""
    leaf = _BY_CODE.get(code)
    if leaf is not None:
        return leaf(message)
    error = Error(message)
    error.code, error.number = code, number
    return error

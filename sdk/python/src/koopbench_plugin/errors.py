"""The errors that the benchmark tells apart. Raise one with a sentence that names the value, the limit and the remedy."""

from __future__ import annotations

from koopbench_plugin.wire import plugin_pb2 as wire


class PluginError(Exception):
    """A failure that its author foresaw. Raised as it is, it has no particular kind."""

    kind = wire.Failure.FAILED


class ShapeError(PluginError):
    """Arrays do not have the shapes or lengths that they must have."""

    kind = wire.Failure.SHAPE


class NonFiniteError(PluginError):
    """A value is infinite or not a number."""

    kind = wire.Failure.NON_FINITE


class TooShortError(PluginError):
    """A sequence has too few snapshots."""

    kind = wire.Failure.TOO_SHORT


class OptionError(PluginError):
    """An option does not exist, or its value is out of range."""

    kind = wire.Failure.OPTION


class LabelError(PluginError):
    """A label is outside 0 … states-1."""

    kind = wire.Failure.LABEL


class UnavailableError(PluginError):
    """Something needed is not there: an oracle's encoder, an observable."""

    kind = wire.Failure.UNAVAILABLE


class UnknownError(PluginError):
    """Nothing of that name or handle exists."""

    kind = wire.Failure.UNKNOWN


class ContractError(PluginError):
    """The plugin or the host returned what its contract forbids. The package raises it; authors need not."""

    kind = wire.Failure.CONTRACT


class Cancelled(BaseException):
    """The host has cancelled the call, or its time is over.

    It is no Exception, so that ``except Exception`` in a training loop does not swallow it. Let it pass.
    """

    kind = wire.Failure.CANCELLED

"""Options: what a user may set, each with its type, default and range."""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from koopbench_plugin.errors import OptionError
from koopbench_plugin.wire import plugin_pb2 as wire

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


MAX_LINE = 1 << 10  # bytes of a doc or a choice
MAX_CHOICES = 1024
MAX_TEXT = 4096  # the most bytes that a text can have


def _in_words(what: str, least: float, most: float, limit: float) -> str:
    """A range in words, in which the largest number that there is is no limit."""
    if least > -limit and most < limit:
        return f"{what} in {_number(least)} … {_number(most)}"
    if least > -limit:
        return f"{what} of at least {_number(least)}"
    return f"{what} of at most {_number(most)}" if most < limit else what


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


@dataclass(frozen=True)
class BoolOption:
    """A switch."""

    field: ClassVar[str] = "switch"
    type: ClassVar[type] = bool
    name: str
    default: bool
    doc: str

    @property
    def range(self) -> str:
        """The values that it takes, in words."""
        return "True or False"

    def holds(self, value: object) -> bool:
        """Whether it takes the value."""
        return isinstance(value, bool)


@dataclass(frozen=True)
class IntOption:
    """A whole number in [least, most]."""

    field: ClassVar[str] = "whole"
    type: ClassVar[type] = int
    name: str
    default: int
    least: int
    most: int
    doc: str

    @property
    def range(self) -> str:
        """The values that it takes, in words."""
        return _in_words("a whole number", self.least, self.most, 2**63 - 1)

    def holds(self, value: object) -> bool:
        """Whether it takes the value."""
        return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most


@dataclass(frozen=True)
class FloatOption:
    """A real number in [least, most]."""

    field: ClassVar[str] = "number"
    type: ClassVar[type] = float
    name: str
    default: float
    least: float
    most: float
    doc: str

    @property
    def range(self) -> str:
        """The values that it takes, in words."""
        return _in_words("a number", self.least, self.most, sys.float_info.max)

    def holds(self, value: object) -> bool:
        """Whether it takes the value."""
        return isinstance(value, (int, float)) and not isinstance(value, bool) and self.least <= value <= self.most


@dataclass(frozen=True, init=False)
class ChoiceOption:
    """One word of several, the first being the default: ``ChoiceOption("kernel", "kernel", "rbf", "matern")``."""

    field: ClassVar[str] = "choice"
    type: ClassVar[type] = str
    name: str
    doc: str
    choices: tuple[str, ...]

    def __init__(self, name: str, doc: str, *choices: str) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "doc", doc)
        object.__setattr__(self, "choices", choices)

    @property
    def default(self) -> str:
        """The first choice."""
        return self.choices[0] if self.choices else ""

    @property
    def range(self) -> str:
        """The values that it takes, in words."""
        return f"one of {', '.join(self.choices)}"

    def holds(self, value: object) -> bool:
        """Whether it takes the value."""
        return value in self.choices


@dataclass(frozen=True)
class TextOption:
    """Free text, such as a path or a device: at most so many bytes, 1 to 4096, of UTF-8 without control characters."""

    field: ClassVar[str] = "choice"
    type: ClassVar[type] = str
    name: str
    default: str
    most: int
    doc: str

    @property
    def range(self) -> str:
        """The values that it takes, in words."""
        return f"a text of at most {self.most} bytes of UTF-8 without control characters"

    def holds(self, value: object) -> bool:
        """Whether it takes the value."""
        if not isinstance(value, str) or any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
            return False
        return len(value.encode()) <= self.most


Option = BoolOption | IntOption | FloatOption | ChoiceOption | TextOption
Value = bool | int | float | str


def checked(option: Option, value: object) -> Value:
    """Returns the value in the option's type.

    Raises:
        OptionError: the option does not take it.
    """
    if not option.holds(value):
        raise OptionError(f"{option.name}={value!r}: it takes {option.range}")
    result: Value = option.type(value)
    return result


def resolve(options: Sequence[Option], given: Mapping[str, object]) -> dict[str, Value]:
    """Returns a value for each option: the given one, or the default.

    Raises:
        OptionError: an option does not exist or does not take its value.
    """
    unknown = sorted(given.keys() - {o.name for o in options})
    if unknown:
        names = ", ".join(sorted(o.name for o in options)) or "none"
        raise OptionError(f"there is no option {unknown[0]!r}; there is {names}")
    return {o.name: checked(o, given.get(o.name, o.default)) for o in options}


def validate(option: Option) -> None:
    """Raises ValueError, naming the first rule that the declaration breaks."""
    if not isinstance(option, (BoolOption, IntOption, FloatOption, ChoiceOption, TextOption)):
        raise ValueError(f"{option!r} is no option; use BoolOption, IntOption, FloatOption, ChoiceOption or TextOption")
    if not isinstance(option.name, str) or not NAME.fullmatch(option.name):
        raise ValueError(
            f"the option name {option.name!r} must be 1 to 40 lower-case letters, digits and underscores, a letter first"
        )
    if not option.doc or "\n" in option.doc:
        raise ValueError(f"the option {option.name!r} needs a doc of one line")
    if len(option.doc.encode()) > MAX_LINE:
        raise ValueError(f"the doc of the option {option.name!r} has more than {MAX_LINE} bytes")
    if isinstance(option, ChoiceOption):
        if len(option.choices) > MAX_CHOICES:
            raise ValueError(f"the option {option.name!r} has {len(option.choices)} choices; the most is {MAX_CHOICES}")
        if any(len(str(choice).encode()) > MAX_LINE for choice in option.choices):
            raise ValueError(f"a choice of the option {option.name!r} has more than {MAX_LINE} bytes")
    elif isinstance(option, TextOption):
        if not (isinstance(option.most, int) and 1 <= option.most <= MAX_TEXT):
            raise ValueError(f"the option {option.name!r} takes {option.most!r} bytes of text; give 1 to {MAX_TEXT}")
    elif isinstance(option, IntOption):
        if not -(2**63) <= option.least <= option.most < 2**63:
            raise ValueError(
                f"the option {option.name!r} takes whole numbers in {option.least} … {option.most}; the ends must ascend, "
                "within 64 bits"
            )
    elif isinstance(option, FloatOption) and not -math.inf < option.least <= option.most < math.inf:
        raise ValueError(
            f"the option {option.name!r} takes numbers in {option.least} … {option.most}; the ends must be finite "
            "(sys.float_info.max is for no limit) and ascend"
        )
    if not option.holds(option.default):
        raise ValueError(f"the default {option.default!r} of the option {option.name!r} is not {option.range}")


def to_wire(option: Option) -> wire.Option:
    """Returns the declaration as it is sent."""
    message = wire.Option(name=option.name, doc=option.doc)
    setattr(message.default, option.field, option.type(option.default))
    if isinstance(option, ChoiceOption):
        message.choices.extend(option.choices)
    elif isinstance(option, TextOption):
        message.max = option.most
    elif not isinstance(option, BoolOption):
        message.min, message.max = option.least, option.most
    return message


def from_wire(options: Sequence[Option], values: Mapping[str, wire.Value]) -> dict[str, Value]:
    """Returns the values that the host has sent, one for every option.

    Raises:
        OptionError: one is missing, does not exist, has the wrong type or is out of range.
    """
    given: dict[str, object] = {}
    for name, value in values.items():
        field = value.WhichOneof("value")
        given[name] = getattr(value, field) if field else None
    for option in options:
        if option.name not in given:
            raise OptionError(f"the host has sent no value of the option {option.name!r}")
        sent = values[option.name].WhichOneof("value")
        if sent != option.field:
            raise OptionError(f"{option.name}: the host has sent {sent or 'nothing'}; it takes {option.range}")
    return resolve(options, given)

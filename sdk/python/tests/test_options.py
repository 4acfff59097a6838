from __future__ import annotations

import math
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koopbench_plugin import BoolOption, ChoiceOption, FloatOption, IntOption, OptionError, TextOption
from koopbench_plugin import options as o
from koopbench_plugin.wire import plugin_pb2 as wire

SWITCH = BoolOption("centred", False, "whether to centre")
WHOLE = IntOption("rank", 5, 1, 10, "rank")
NUMBER = FloatOption("alpha", 1e-3, 0, 1, "regularisation")
CHOICE = ChoiceOption("kernel", "kernel", "rbf", "matern")
TEXT = TextOption("path", "/tmp", 12, "file of weights")
ALL: list[o.Option] = [SWITCH, WHOLE, NUMBER, CHOICE, TEXT]


def test_resolve() -> None:
    assert o.resolve(ALL, {}) == {"centred": False, "rank": 5, "alpha": 1e-3, "kernel": "rbf", "path": "/tmp"}
    values = o.resolve(ALL, {"alpha": 1, "kernel": "matern"})
    assert values["alpha"] == 1.0
    assert isinstance(values["alpha"], float)
    assert values["kernel"] == "matern"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"rank": 0}, "1 … 10"),
        ({"rank": 2.0}, "a whole number"),
        ({"rank": True}, "a whole number"),
        ({"alpha": -1}, "0 … 1"),
        ({"alpha": float("nan")}, "0 … 1"),
        ({"alpha": "1"}, "a number"),
        ({"centred": 1}, "True or False"),
        ({"kernel": "linear"}, "rbf, matern"),
        ({"kernal": "rbf"}, "there is no option 'kernal'; there is alpha, centred, kernel, path, rank"),
        ({"path": "1234567890123"}, "a text of at most 12 bytes of UTF-8 without control characters"),
        ({"path": "ÄÖÜÄÖÜÄ"}, "at most 12 bytes"),
        ({"path": "a\nb"}, "without control characters"),
        ({"path": "a\x9bb"}, "without control characters"),
        ({"path": "\ud800"}, "of UTF-8"),
        ({"path": 3}, "a text"),
    ],
)
def test_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        o.resolve(ALL, given)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (IntOption("Rank", 1, 0, 2, "rank"), "lower-case"),
        (IntOption("r" * 41, 1, 0, 2, "rank"), "1 to 40"),
        (IntOption("rank", 1, 0, 2, ""), "doc"),
        (IntOption("rank", 3, 0, 2, "rank"), "the default 3"),
        (FloatOption("alpha", 1, 2, 0, "a"), "must be finite .* and ascend"),
        (FloatOption("alpha", math.inf, 0, math.inf, "a"), "takes numbers in 0 … inf; the ends must be finite"),
        (FloatOption("alpha", 1, -math.inf, 2, "a"), "must be finite"),
        (FloatOption("alpha", 1, 0, math.nan, "a"), "must be finite"),
        (FloatOption("alpha", math.nan, 0, 1, "a"), "the default nan"),
        (FloatOption("alpha", 3, 0, 2, "a"), "the default 3"),
        (IntOption("rank", 1, 0, 2**63, "rank"), "within 64 bits"),
        (IntOption("rank", 1, 2, 0, "rank"), "the ends must ascend"),
        (BoolOption("flat", True, "a" * 1025), "more than 1024 bytes"),
        (ChoiceOption("kernel", "kernel", "a" * 1025), "a choice of the option 'kernel' has more than 1024 bytes"),
        (ChoiceOption("kernel", "kernel", *("a" * 1025)), "has 1025 choices; the most is 1024"),
        (ChoiceOption("kernel", "kernel"), "the default ''"),
        (TextOption("path", "", 0, "path"), "takes 0 bytes of text; give 1 to 4096"),
        (TextOption("path", "", 4097, "path"), "takes 4097 bytes of text; give 1 to 4096"),
        (TextOption("path", "ab", 1, "path"), "the default 'ab'"),
        ("rank", "is no option"),
    ],
)
def test_invalid_declarations(option: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        o.validate(option)


@given(
    st.fixed_dictionaries(
        {
            "centred": st.booleans(),
            "rank": st.integers(1, 10),
            "alpha": st.floats(0, 1),
            "kernel": st.sampled_from(CHOICE.choices),
            "path": st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=3),
        }
    )
)
def test_values_survive_the_wire(values: dict[str, Any]) -> None:
    sent = {
        "centred": wire.Value(switch=values["centred"]),
        "rank": wire.Value(whole=values["rank"]),
        "alpha": wire.Value(number=values["alpha"]),
        "kernel": wire.Value(choice=values["kernel"]),
        "path": wire.Value(choice=values["path"]),
    }
    assert o.from_wire(ALL, sent) == values


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({}, "no value of the option 'rank'"),
        ({"rank": wire.Value()}, "sent nothing"),
        ({"rank": wire.Value(number=3)}, "sent number"),
        ({"rank": wire.Value(switch=True)}, "sent switch"),
        ({"rank": wire.Value(whole=11)}, "1 … 10"),
        ({"rank": wire.Value(whole=3), "depth": wire.Value(whole=3)}, "no option 'depth'"),
    ],
)
def test_refused_from_the_wire(sent: dict[str, wire.Value], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        o.from_wire([WHOLE], sent)


def test_ranges_without_a_limit() -> None:
    most = sys.float_info.max
    assert FloatOption("x", 1, 0, most, "x").range == "a number of at least 0"
    assert FloatOption("x", 1, -most, 2.5, "x").range == "a number of at most 2.5"
    assert FloatOption("x", 1, -most, most, "x").range == "a number"
    assert IntOption("x", 1, 1, 2**63 - 1, "x").range == "a whole number of at least 1"
    assert WHOLE.range == "a whole number in 1 … 10"


def test_declarations_on_the_wire() -> None:
    whole, choice = o.to_wire(WHOLE), o.to_wire(CHOICE)
    assert (whole.default.whole, whole.min, whole.max) == (5, 1, 10)
    assert (choice.default.choice, list(choice.choices)) == ("rbf", ["rbf", "matern"])
    text = o.to_wire(TEXT)
    assert (text.default.choice, text.max, list(text.choices)) == ("/tmp", 12, [])
    assert o.to_wire(SWITCH).default.WhichOneof("value") == "switch"

from __future__ import annotations

import platform
import threading
from typing import Any

import pytest
from examples import Circle, LeastSquares, Nearest, Pca, Ridge, Squares, Typed

from koopbench_plugin import BoolOption, Method, OptionError, __version__
from koopbench_plugin._service import Service
from koopbench_plugin.things import describe
from koopbench_plugin.wire import plugin_pb2 as wire


def test_description() -> None:
    d = describe(Ridge())
    assert (d.kind, d.name, d.summary) == (wire.METHOD, "ridge", Ridge.summary)
    assert d.doc == "A class that has fit and predict, and more."
    assert [o.name for o in d.options] == ["alpha"]


def test_service_describes_all_kinds() -> None:
    service = Service([Ridge(), Pca(), LeastSquares(), Squares(), Nearest(), Circle()], version="1.2")
    reply = service.describe(wire.DescribeRequest(), None)  # type: ignore[arg-type]
    assert [t.kind for t in reply.things] == [wire.METHOD, wire.EMBEDDER, wire.OPERATOR, wire.LOSS, wire.ORACLE, wire.TASK]
    assert reply.version == "1.2"
    assert reply.sdk == f"koopbench-plugin {__version__} (Python {platform.python_version()})"


class _Fits(Method):
    name = "fits"
    summary = "fits"

    def fit(self, training: Any) -> None: ...


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"name": ""}, "the name ''"),
        ({"name": "Ridge"}, "lower-case"),
        ({"name": "1st"}, "a letter first"),
        ({"name": "a" * 41}, "1 to 40"),
        ({"name": "ridge\n"}, "lower-case"),
        ({"name": None}, "the name None"),
        ({"summary": ""}, "summary of one line"),
        ({"summary": "a\nb"}, "summary of one line"),
        ({"summary": "a" * 1025}, "the summary of 'fits' has 1025 bytes; the most is 1024"),
        ({"doc": "a" * 65537}, "the doc of 'fits' has 65537 bytes; the most is 65536"),
        ({"options": [None] * 257}, "'fits' has 257 options; the most is 256"),
        ({"exposure": "everything"}, "exposure 'everything'"),
        ({"options": [BoolOption("a", True, "a"), BoolOption("a", True, "a")]}, "declares the option 'a' twice"),
        ({"options": [BoolOption("A", True, "a")]}, "'fits': the option name 'A'"),
        ({"lock": threading.Lock()}, "cannot be copied"),
    ],
)
def test_invalid_descriptions(attributes: dict[str, Any], says: str) -> None:
    thing = _Fits()
    for name, value in attributes.items():
        setattr(thing, name, value)
    with pytest.raises(ValueError, match=says):
        Service([thing])


@pytest.mark.parametrize(
    ("things", "says"),
    [
        ([], "nothing to serve"),
        ([Ridge(), Ridge()], "two things of the kind METHOD are called 'ridge'"),
        ([Ridge], r"serve an object of the class, Ridge\(\)"),
        (["ridge"], "is no Method"),
    ],
)
def test_invalid_sets(things: list[Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Service(things)


def test_one_name_in_two_kinds() -> None:
    method, loss = Ridge(), Squares()
    method.name = loss.name = "both"
    assert Service([method, loss])


def test_resolve() -> None:
    assert Typed().resolve(rank=4) == {"centred": True, "rank": 4, "alpha": 0.5, "kernel": "rbf", "path": ""}
    with pytest.raises(OptionError, match="rnak"):
        Typed().resolve(rnak=4)

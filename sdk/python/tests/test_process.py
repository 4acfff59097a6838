"""The life of a plugin's process."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from host import Array, Failed, Launched, fit_frames, launch, until

from koopbench_plugin.wire import plugin_pb2 as wire

PROGRAM = Path(__file__).with_name("plugin_program.py")


def program(what: str = "", **environment: str) -> Any:
    return launch(sys.executable, PROGRAM, what, **environment)


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_handshake_and_shutdown() -> None:
    with program() as plugin:
        host = plugin.connect()
        assert plugin.socket.parent == plugin.sockets
        mode = plugin.socket.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        reply = host.describe()
        assert [t.name for t in reply.things] == ["does", "ridge", "squares"]
        assert reply.version == "1.5"
        assert host.describe() == reply
        assert host.healthy() == b"\x08\x01"
        with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
            host.healthy(b"\x0a\x05other")
        host.shutdown()
        assert plugin.wait() == 0
        assert not plugin.socket.exists()
        assert plugin.stderr() == ""


def test_end_of_standard_input() -> None:
    with program() as plugin:
        plugin.connect()
        plugin.close_stdin()
        assert plugin.wait() != 0
        assert not plugin.socket.exists()


def test_termination() -> None:
    with program() as plugin:
        plugin.connect()
        plugin.process.terminate()
        assert plugin.wait() == 0
        assert not plugin.socket.exists()


def test_termination_that_another_thread_gets(x: Array) -> None:
    frames = fit_frames(wire.METHOD, "does", ("train", x), ("validation", x), lag=1, states=2)
    with program("signals", SIGNALS=f"{signal.SIGTERM:d}") as plugin:
        call = plugin.connect().call("Fit", frames)
        assert plugin.wait() == 0
        assert until(lambda: not call.is_active())


def test_other_signals_do_not_end_the_plugin(x: Array) -> None:
    frames = fit_frames(wire.METHOD, "does", ("train", x), ("validation", x), lag=1, states=2)
    with program("signals", SIGNALS=f"{signal.SIGUSR1:d}") as plugin:
        host = plugin.connect()
        call = host.call("Fit", frames)
        assert until(lambda: "handled" in plugin.stderr())
        assert host.healthy()
        assert call.is_active()
        host.shutdown()
        assert plugin.wait() == 0


def test_interrupts_are_the_hosts() -> None:
    with program() as plugin:
        host = plugin.connect()
        plugin.process.send_signal(signal.SIGINT)
        assert host.healthy()


def child_of(plugin: Launched, x: Array) -> int:
    """Begins a fit that starts a child, and returns the child's number."""
    frames = fit_frames(wire.METHOD, "does", ("train", x), ("validation", x), lag=1, states=2)
    call = plugin.connect().call("Fit", frames)
    frame = next(call)
    pid: int = frame.phase.total
    assert alive(pid)
    return pid


@pytest.mark.parametrize("end", ["stdin", "SIGTERM", "shutdown"])
@pytest.mark.parametrize("busy", ["", "1"])
def test_children_end_too(x: Array, end: str, busy: str) -> None:
    with program("child", BUSY=busy) as plugin:
        child = child_of(plugin, x)
        if end == "stdin":
            plugin.close_stdin()
        elif end == "SIGTERM":
            plugin.process.terminate()
        else:
            assert plugin.channel is not None
            plugin.channel.unary_unary("/plugin.GRPCController/Shutdown")(b"", timeout=10)
        plugin.wait()
        assert until(lambda: not alive(child))


@pytest.mark.parametrize("end", ["stdin", "shutdown"])
def test_children_end_too_behind_a_launcher(x: Array, end: str) -> None:
    command = ("sh", "-c", '"$@"; exit $?', "sh", sys.executable, PROGRAM, "child")
    with launch(*command, KOOPBENCH_PLUGIN_GROUP="1") as plugin:
        child = child_of(plugin, x)
        if end == "stdin":
            plugin.close_stdin()
        else:
            assert plugin.channel is not None
            plugin.channel.unary_unary("/plugin.GRPCController/Shutdown")(b"", timeout=10)
        plugin.wait()
        assert until(lambda: not alive(child))


def test_a_killed_host_leaves_nothing(x: Array) -> None:
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from test_process import *; import contextlib\n"
        "stack = contextlib.ExitStack(); plugin = stack.enter_context(program('child'))\n"
        "print(plugin.process.pid, child_of(plugin, np.zeros((4, 2), np.float32)), flush=True); time.sleep(60)"
    )
    host = subprocess.Popen([sys.executable, "-c", code, str(PROGRAM.parent)], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    with host.stdout:
        pids = [int(p) for p in host.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(alive, pids))
    host.kill()
    host.wait()
    assert until(lambda: not any(map(alive, pids)))


def test_prints_go_to_the_log(x: Array) -> None:
    with program("prints") as plugin:
        host = plugin.connect()
        host.fit_method("does", x)
        host.shutdown()
        plugin.wait()
        assert plugin.process.stdout is not None
        assert plugin.process.stdout.read() == b"", "nothing comes on standard output but the handshake"
        assert sorted(plugin.stderr().splitlines()) == ["printed by C", "printed by Python", "printed by a child"]


def test_unflushed_prints_before_serving_go_to_the_log() -> None:
    with program("early", PYTHONUNBUFFERED="") as plugin:
        plugin.connect().shutdown()
        plugin.wait()
        assert plugin.stderr() == "printed before the handshake\n"


def test_standard_input_is_empty(x: Array) -> None:
    with program("reads") as plugin:
        assert list(plugin.connect().fit_method("does", x).report.warnings) == ["''"]


def test_logs(x: Array) -> None:
    with program("logs") as plugin:
        host = plugin.connect()
        with pytest.raises(Failed, match="PANIC: KeyError: 'missing'"):
            host.fit_method("does", x)
        host.shutdown()
        plugin.wait()
        records = [json.loads(line) for line in plugin.stderr().splitlines()]
    assert [(r["@level"], r["@module"]) for r in records] == [
        ("info", "my.module"),
        ("warn", "py.warnings"),
        ("error", "root"),
        ("error", "koopbench_plugin"),
    ]
    assert records[0]["@message"] == "info 1"
    assert "UserWarning: a warning" in records[1]["@message"]
    assert records[2]["@message"] == "two\nlines"
    assert "KeyError: 'missing'" in records[3]["@message"]
    for r in records:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", r["@timestamp"])


def test_an_authors_logging_is_kept() -> None:
    with program("configured") as plugin:
        plugin.connect().shutdown()
        plugin.wait()
        assert plugin.stderr().startswith("mine: before serving\n")


def refused(what: str = "", **environment: str) -> str:
    """Returns what a plugin says that ends without a handshake."""
    with program(what, **environment) as plugin:
        assert plugin.handshake() == ""
        assert plugin.wait() == 1
        return plugin.stderr()


def test_started_by_hand() -> None:
    text = refused(KOOPBENCH_PLUGIN="")
    assert "This is a plugin of koopbench" in text
    assert "method ridge: ridge regression" in text
    assert f"bench run --plugin {PROGRAM} --methods all" in text
    assert f"bench plugin check {PROGRAM}" in text


@pytest.mark.parametrize("versions", ["2,3", "", "11"])
def test_other_versions(versions: str) -> None:
    text = refused(PLUGIN_PROTOCOL_VERSIONS=versions)
    assert "version 1 of koopbench's protocol" in text
    assert f"the host speaks {versions or 'none'}" in text


def test_one_version_of_several() -> None:
    with program(PLUGIN_PROTOCOL_VERSIONS="2,1") as plugin:
        assert plugin.connect().healthy()


def test_an_invalid_description() -> None:
    assert "the name 'Does' of Does must be 1 to 40 lower-case letters" in refused("invalid")


def test_a_long_folder(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    text = refused(PLUGIN_UNIX_SOCKET_DIR=str(folder))
    assert "and may have 107" in text
    assert "set TMPDIR to a shorter folder" in text


def test_no_folder(tmp_path: Path) -> None:
    text = refused(PLUGIN_UNIX_SOCKET_DIR=str(tmp_path / "absent"))
    assert "cannot be made" in text


def test_folders_with_odd_names(tmp_path: Path) -> None:
    folder = Path("/tmp") / f"k b%20#ü{os.getpid()}"
    folder.mkdir()
    try:
        with program(PLUGIN_UNIX_SOCKET_DIR=str(folder)) as plugin:
            line = plugin.handshake()
            assert line.split("|")[3].startswith(f"{folder}/")
            assert stat.S_ISSOCK(os.stat(line.split("|")[3]).st_mode)
            plugin.process.terminate()
            plugin.wait()
        assert not list(folder.iterdir())
    finally:
        folder.rmdir()


def test_without_a_folder_it_makes_one() -> None:
    with program(PLUGIN_UNIX_SOCKET_DIR="") as plugin:
        host = plugin.connect()
        folder = plugin.socket.parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        host.shutdown()
        plugin.wait()
        assert not folder.exists()


def test_large_arrays_both_ways() -> None:
    rows = (64 << 20) // (4 * 784)
    x = np.random.default_rng(0).random((rows, 28, 28), dtype=np.float32)
    with program() as plugin:
        host = plugin.connect()
        fitted = host.fit_method("does", x[:10])
        np.testing.assert_array_equal(host.apply(fitted.handle, wire.PREDICT, x), x)


def test_losses_answer_again_and_again() -> None:
    x = np.random.default_rng(0).normal(size=(64, 5))
    with program() as plugin:
        host = plugin.connect()
        first = host.evaluate("squares", x, x, weight=1.0)
        for _ in range(100):
            assert str(host.evaluate("squares", x, x, weight=1.0)) == str(first)


def test_two_processes_agree_to_the_bit(x: Array) -> None:
    def predict() -> Array:
        with program() as plugin:
            host = plugin.connect()
            fitted = host.fit_method("ridge", x, options={"alpha": 1e-6}, seed=3)
            return host.apply(fitted.handle, wire.PREDICT, x)

    np.testing.assert_array_equal(predict(), predict())

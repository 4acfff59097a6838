"""The life of a plugin's process: handshake, standard streams, end."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn
from urllib.parse import quote

import grpc

from koopbench_plugin import _by_hand, _fork, _logs
from koopbench_plugin._service import Service
from koopbench_plugin.things import Thing
from koopbench_plugin.wire import plugin_pb2 as wire

COOKIE = ("KOOPBENCH_PLUGIN", "evolution-operators")
PROTOCOL = "1"
MAX_CALLS = 64
"""Calls that are served at a time; more wait."""
MAX_SOCKET_PATH = 103 if sys.platform == "darwin" else 107

SERVICE = wire.DESCRIPTOR.services_by_name["Plugin"].full_name

# grpc.health.v1, for the service "plugin" that go-plugin asks for: one field each way.
HEALTH_REQUESTS = (b"", b"\x0a\x06plugin")
HEALTH_SERVING = b"\x08\x01"


def serve(*things: Thing, version: str = "") -> NoReturn:
    """Serves things to koopbench. It is the last call of a plugin's main thread, and does not return.

    Keep it under ``if __name__ == "__main__":`` so that processes which multiprocessing starts do not serve too.

    Args:
        things: objects of the six kinds.
        version: of the plugin, for people.
    """
    try:
        service = Service(things, version)
    except ValueError as error:
        sys.exit(f"{_program()}: {error}")
    if request := os.environ.pop("KOOPBENCH_PLUGIN_FIT", ""):
        _by_hand.fit(things, request)
        sys.exit()
    if os.environ.get(COOKIE[0]) != COOKIE[1]:
        sys.exit(_explanation(service))
    versions = os.environ.get("PLUGIN_PROTOCOL_VERSIONS", "")
    if PROTOCOL not in versions.split(","):
        sys.exit(
            f"{_program()}: this plugin speaks version {PROTOCOL} of koopbench's protocol, and the host speaks "
            f"{versions or 'none that it names'}; use a koopbench and a koopbench-plugin that have one in common"
        )
    Process(service).run()


def _program() -> str:
    return sys.argv[0] or "plugin"


def _explanation(service: Service) -> str:
    things = "".join(
        f"  {wire.Kind.Name(t.kind).lower()} {t.name}: {t.summary}\n"
        for t in service.describe(wire.DescribeRequest(), _NoContext()).things
    )
    path = os.path.abspath(_program())
    return (
        f"This is a plugin of koopbench, started by it and not by hand. It serves\n{things}"
        f"Check it with\n  bench plugin check {path}\nand benchmark it with\n  bench run --plugin {path} --methods all"
    )


class _NoContext:
    def add_callback(self, callback: Callable[[], None]) -> bool:
        return True

    def set_trailing_metadata(self, trailing_metadata: tuple[tuple[str, str], ...]) -> None:
        pass


class Process:
    """This process as a plugin."""

    def __init__(self, service: Service) -> None:
        _fork.prepare()
        self._service = service
        self._lifeline, self._stdout = _take_standard_streams()
        _logs.configure()
        # The host says so where something else leads the group: uv starts Python as a child.
        self._own_group = os.getpgrp() == os.getpid() or os.environ.get("KOOPBENCH_PLUGIN_GROUP") == "1"
        self._end = _fork.Termination()
        folder = os.environ.get("PLUGIN_UNIX_SOCKET_DIR", "")
        self._own_folder = "" if folder else tempfile.mkdtemp(prefix="koopbench-")
        self._socket = os.path.join(folder or self._own_folder, f"{os.getpid()}.sock")

    def run(self) -> NoReturn:
        """Serves until the host is gone, or asks for the end."""
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()
        self._end.listen()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's to handle
        server = self._listen()
        os.write(self._stdout, f"1|{PROTOCOL}|unix|{self._socket}|grpc\n".encode())
        self._end.wait()
        server.stop(grace=0.2).wait(1)
        self._clean()
        logging.shutdown()
        sys.stderr.flush()
        if self._own_group:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.killpg(0, signal.SIGTERM)  # children
        os._exit(0)

    def _listen(self) -> grpc.Server:
        length = len(os.fsencode(self._socket))
        if length > MAX_SOCKET_PATH:
            sys.exit(
                f"{_program()}: the path of the socket has {length} bytes and may have {MAX_SOCKET_PATH}: {self._socket}; "
                "set TMPDIR to a shorter folder"
            )
        server = grpc.server(ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="call"))
        server.add_generic_rpc_handlers(handlers(self._service, self._end.ask))
        umask = os.umask(0o177)
        try:
            server.add_insecure_port("unix:" + quote(self._socket))
        except RuntimeError as error:
            sys.exit(f"{_program()}: the socket {self._socket} cannot be made: {error}")
        finally:
            os.umask(umask)
        server.start()
        return server

    def _watch(self) -> None:
        """Ends the process with its children at once when standard input ends: the host is gone."""
        with contextlib.suppress(OSError):
            while os.read(self._lifeline, 1 << 12):
                pass
        self._clean()
        if self._own_group:
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    def _clean(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._socket)
        if self._own_folder:
            with contextlib.suppress(OSError):
                os.rmdir(self._own_folder)


def _take_standard_streams() -> tuple[int, int]:
    """Returns private copies of standard input and output, and puts others in their place.

    What anything prints goes to standard error, which is the plugin's log, and cannot disturb the handshake; what reads
    finds the end of the input. Children inherit neither original.
    """
    lifeline, stdout = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if sys.stdout is not None:
        sys.stdout.flush()
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True)
    return lifeline, stdout


def handlers(service: Service, stop: Callable[[], None]) -> tuple[grpc.GenericRpcHandler[Any, Any], ...]:
    """Returns the services of a plugin: its own, gRPC's health and go-plugin's controller."""

    def stream(method: Callable[..., Any]) -> Any:
        return grpc.stream_stream_rpc_method_handler(method, wire.Frame.FromString, wire.Frame.SerializeToString)

    def health(request: bytes, context: grpc.ServicerContext) -> bytes:
        if request not in HEALTH_REQUESTS:
            context.abort(grpc.StatusCode.NOT_FOUND, 'there is the service "plugin"')
        return HEALTH_SERVING

    def shutdown(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(stop)  # once the answer is sent
        return b""

    services: dict[str, dict[str, Any]] = {
        SERVICE: {
            "Describe": grpc.unary_unary_rpc_method_handler(
                service.describe, wire.DescribeRequest.FromString, wire.DescribeReply.SerializeToString
            ),
            "Fit": stream(service.fit),
            "Apply": stream(service.apply),
            "Evaluate": stream(service.evaluate),
            "Open": stream(service.open),
            "Release": grpc.unary_unary_rpc_method_handler(
                service.release, wire.ReleaseRequest.FromString, wire.ReleaseReply.SerializeToString
            ),
        },
        "grpc.health.v1.Health": {"Check": grpc.unary_unary_rpc_method_handler(health)},
        "plugin.GRPCController": {"Shutdown": grpc.unary_unary_rpc_method_handler(shutdown)},
    }
    return tuple(grpc.method_handlers_generic_handler(name, methods) for name, methods in services.items())

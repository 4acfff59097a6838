from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
from host import Array, Host

from koopbench_plugin import Thing
from koopbench_plugin._process import handlers
from koopbench_plugin._service import Service

Serve = Callable[..., Host]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves things in this process, and returns a host that is connected with them."""
    servers: list[grpc.Server] = []
    channels: list[grpc.Channel] = []

    def start(*things: Thing) -> Host:
        server = grpc.server(ThreadPoolExecutor(16))
        server.add_generic_rpc_handlers(handlers(Service(things), threading.Event().set))
        address = f"unix:{tmp_path}/{len(servers)}.sock"
        server.add_insecure_port(address)
        server.start()
        servers.append(server)
        channels.append(grpc.insecure_channel(address))
        return Host(channels[-1])

    yield start
    for channel in channels:
        channel.close()
    for server in servers:
        server.stop(0).wait(10)


@pytest.fixture
def x() -> Array:
    """20 snapshots of shape 3×4."""
    return np.random.default_rng(1).normal(size=(20, 3, 4)).astype(np.float32)


@pytest.fixture
def z() -> Array:
    """30 rows of 3 features."""
    return np.random.default_rng(2).normal(size=(30, 3))

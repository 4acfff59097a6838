#!/usr/bin/env python3
"""Generates src/koopbench_plugin/wire/plugin_pb2.py and .pyi from plugin/wire/plugin.proto.

python generate.py           writes them
python generate.py --check   fails if they differ from what would be written

The compiler is pinned and goes to a virtual environment that is removed afterwards. Its version sets the least protobuf
that the generated code runs with, which pyproject.toml states.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

COMPILER = "grpcio-tools==1.74.0"  # protobuf 6.31.1

HERE = Path(__file__).resolve().parent
PROTO = HERE.parent.parent / "plugin" / "wire" / "plugin.proto"
# The path of the package, so that no other file of that name is registered under it in protobuf's pool.
PACKAGE = Path("koopbench_plugin") / "wire"
GENERATED = ["plugin_pb2.py", "plugin_pb2.pyi"]


def generate(folder: Path) -> dict[str, str]:
    """Returns the generated files' texts by name, working in an empty folder."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", COMPILER], check=True)
    (folder / PACKAGE).mkdir(parents=True)
    shutil.copy(PROTO, folder / PACKAGE)
    subprocess.run(
        [python, "-m", "grpc_tools.protoc", "-I.", "--python_out=.", "--pyi_out=.", str(PACKAGE / PROTO.name)],
        cwd=folder,
        check=True,
    )
    return {name: (folder / PACKAGE / name).read_text() for name in GENERATED}


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(description="Generates the Python code of the wire format.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        texts = generate(Path(folder))
    stale = []
    for name, text in texts.items():
        target = HERE / "src" / PACKAGE / name
        if not check:
            target.write_text(text)
        elif not target.exists() or target.read_text() != text:
            stale.append(str(target.relative_to(HERE)))
    if stale:
        print(f"not what plugin.proto generates: {', '.join(stale)}; run generate.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())

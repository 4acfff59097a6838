"""Puts the program into a wheel for one platform. Without the variables, as in an installation from source, it does nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROGRAM = "KOOPBENCH_WHEEL_PROGRAM"
PLATFORM = "KOOPBENCH_WHEEL_PLATFORM"

NOTICES = {
    "NOTICE": "NOTICE",
    "internal/licences/licences.txt": "LICENCES.txt",
    "dataset/mnist/LICENSE.md": "MNIST-LICENCE.md",
}
"""What the program contains of others: the file in the repository, and its name in the wheel."""


class ProgramHook(BuildHookInterface):  # type: ignore[type-arg] # its configuration is a class of hatchling's own
    """Reads the program's path and the platform's tag from the environment."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if PROGRAM not in os.environ:
            return
        program = Path(os.environ[PROGRAM]).resolve(strict=True)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{os.environ[PLATFORM]}"
        build_data["force_include"][str(program)] = f"koopbench/{program.name}"
        repository = Path(self.root).parent.parent
        for source, name in NOTICES.items():
            build_data["force_include"][str(repository / source)] = f"koopbench/{name}"

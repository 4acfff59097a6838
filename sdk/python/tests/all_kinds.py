#!/usr/bin/env python3
"""A plugin that serves all six kinds, for `bench plugin check`."""

from examples import Circle, Descent, LeastSquares, Nearest, Pca, Ridge, Squares

from koopbench_plugin import serve


def main() -> None:
    """Serves them."""
    serve(Ridge(), Descent(), Pca(), LeastSquares(), Squares(), Nearest(), Circle(), version="1.0")


if __name__ == "__main__":
    main()

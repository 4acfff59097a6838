"""A benchmark for methods that learn evolution operators: its program ``bench``, and its results as pandas frames.

``koopbench`` and ``bench`` on the command line, and ``python -m koopbench``, start the program. :func:`load` reads a folder
of results. :mod:`koopbench_plugin` is for authors of methods.
"""

from koopbench._program import program
from koopbench._version import __version__
from koopbench.results import Results, load

__all__ = ["Results", "__version__", "load", "program"]

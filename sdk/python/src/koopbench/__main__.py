"""``python -m koopbench`` is the program ``bench``."""

from koopbench._program import main

if __name__ == "__main__":
    main()

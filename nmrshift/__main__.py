"""``python -m nmrshift``: the same as the ``nmrshift`` command."""

from nmrshift.cli.app import main

if __name__ == "__main__":
    main()

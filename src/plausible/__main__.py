"""python -m plausible: the command line."""

from plausible.cli.main import main

if __name__ == "__main__":
    main()

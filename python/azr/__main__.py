"""`python -m azr`."""

from azr.cli import main

if __name__ == "__main__":
    main()

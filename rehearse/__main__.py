"""`python -m rehearse` is the same as `rehearse`."""

from rehearse.cli.app import main

if __name__ == "__main__":
    main()

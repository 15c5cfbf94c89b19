"""Where `rehearse` and `python -m rehearse` begin: Ctrl-C ends also what is still being loaded in a sentence."""

import sys


def main() -> None:
    """Run the command line and end the process."""
    try:
        from rehearse.cli.app import main as run

        run()
    except KeyboardInterrupt:  # once a command works, the command line says more
        sys.stderr.write("error: Interrupted.\nhint: Nothing was begun. Run the same command again.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()

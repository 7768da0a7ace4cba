"""The command ``elephant-dns``, or ``python -m controller``: says what to install where its packages are missing."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from controller.cli import main as run
    except ModuleNotFoundError as error:
        sys.exit(f"The command line needs {error.name}: pip install '.[cli]' in the repository.")
    except KeyboardInterrupt:  # all that is loaded takes a while
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()

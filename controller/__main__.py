"""Run the command ``elephant-dns``, or ``python -m controller``. If its packages are missing, say what to install."""

import sys


def main() -> None:
    """Run the command line, or exit with what to install."""
    try:
        from controller.cli import main as run
    except ModuleNotFoundError as error:
        sys.exit(f"The command line needs {error.name}: pip install '.[cli]' in the repository.")
    except KeyboardInterrupt:  # loading takes a while
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()

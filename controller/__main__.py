"""``python -m controller`` is ``elephant-dns``."""

from controller.cli import main

main()

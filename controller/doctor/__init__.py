"""Check everything that a pass needs, for ``elephant-dns doctor``: it looks only, and changes nothing."""

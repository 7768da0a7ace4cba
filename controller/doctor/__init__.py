"""``elephant-dns doctor``: is everything there that a pass stands on? Looks only; changes nothing, anywhere."""

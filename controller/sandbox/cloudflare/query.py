"""The parameters of a URL. One name may occur several times."""

from urllib.parse import parse_qsl

from controller.sandbox.cloudflare.errors import error

Pairs = tuple[tuple[str, str], ...]


class Query:
    """Parameters in their order in the URL."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self._last = dict(pairs)

    @classmethod
    def parse(cls, text: str) -> "Query":
        """Return the parameters of a query string, empty ones included."""
        return cls(tuple(parse_qsl(text, keep_blank_values=True)))

    def get(self, name: str, default: str = "") -> str:
        """Return the last value of a parameter."""
        return self._last.get(name, default)

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """Return one of these words. The first is the default."""
        value = self.get(name, allowed[0])
        if value not in allowed:
            raise error(9207, f"{name} must be one of {', '.join(allowed)}.")
        return value

    def number(self, name: str, default: int, minimum: int) -> int:
        """Return a whole number. ``minimum`` is the smallest that is accepted."""
        try:
            value = int(self.get(name, str(default)))
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise error(9207, f"{name} must be a number of at least {minimum}.")
        return value

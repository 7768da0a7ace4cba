"""Elephant DNS Watchdog: a level-based controller that keeps DNS in step with classroom machines."""

__version__ = "1.0.0"
#: Names the tool in the logs of AWS and Cloudflare.
USER_AGENT = f"elephant-dns/{__version__}"

"""Elephant DNS Watchdog: a level-based controller that keeps DNS in step with classroom machines."""

__version__ = "1.0.0"

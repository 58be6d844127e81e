"""intertwine: symmetric neural networks as distributions, as wave functions and as fields."""
from intertwine._version import __version__

__all__ = ["__version__"]

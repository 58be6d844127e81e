"""Critical initialisations and starts, which learning needs too (`layers.depth`), by this wing's names."""

from intertwine.layers.depth.critical import CriticalInitialisation, critical_initialisation
from intertwine.layers.depth.start import CriticalStart, critical_start

__all__ = ["CriticalInitialisation", "CriticalStart", "critical_initialisation", "critical_start"]

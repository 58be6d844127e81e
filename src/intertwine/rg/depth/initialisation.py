"""Critical initialisations and starts, which learning needs too (`layers.depth`), by this wing's names."""

from intertwine.layers.depth.critical import CriticalInitialisation, critical_initialisation

__all__ = ["CriticalInitialisation", "critical_initialisation"]

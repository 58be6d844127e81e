"""Models: one configuration in, one log-amplitude out; what they promise to samplers and to the metric."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

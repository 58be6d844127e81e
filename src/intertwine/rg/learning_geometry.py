"""The geometry of learning (`intertwine.geometry`), seen as a renormalization flow."""

from intertwine.geometry.spectrum import FisherSpectrum, fisher_spectrum
from intertwine.geometry.trained_flow import TrainingFlow, training_flow

__all__ = ["FisherSpectrum", "TrainingFlow", "fisher_spectrum", "training_flow"]

from .spectrum import FisherSpectrum as FisherSpectrum, fisher_spectrum as fisher_spectrum
from .trained_flow import TrainingFlow as TrainingFlow, training_flow as training_flow

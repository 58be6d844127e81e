from .curvature.curvature import Curvature as Curvature, curvature as curvature
from .curvature.geodesic import Geodesic as Geodesic, geodesic as geodesic
from .spectrum import FisherSpectrum as FisherSpectrum, fisher_spectrum as fisher_spectrum
from .trained_flow import TrainingFlow as TrainingFlow, training_flow as training_flow
from .transport_metric import TransportMetric as TransportMetric, transport_metric as transport_metric

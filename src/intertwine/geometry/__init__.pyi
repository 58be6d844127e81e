from . import conservation as conservation, transport as transport
from .conservation.asked import conserved as conserved, symmetries as symmetries
from .couplings.curvature import Curvature as Curvature, curvature as curvature
from .couplings.geodesic import Geodesic as Geodesic, geodesic as geodesic
from .couplings.scan import CurvatureScan as CurvatureScan, curvature_scan as curvature_scan
from .spectrum import FisherSpectrum as FisherSpectrum, fisher_spectrum as fisher_spectrum
from .trained_flow import TrainingFlow as TrainingFlow, training_flow as training_flow
from .transport.distance import (
    Distance as Distance,
    training_distances as training_distances,
    wasserstein as wasserstein,
)
from .transport.entropic import (
    Entropic as Entropic,
    sinkhorn as sinkhorn,
    sinkhorn_divergence as sinkhorn_divergence,
)
from .transport.flip_metric import TransportMetric as TransportMetric, transport_metric as transport_metric
from .transport.gaussian import GaussianLaw as GaussianLaw, bures as bures, gaussian_law as gaussian_law

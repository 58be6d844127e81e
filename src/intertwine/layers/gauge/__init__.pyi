from .activation import GaugeActivation as GaugeActivation
from .bilinear import GaugeBilinear as GaugeBilinear
from .exact_loops import wilson_network as wilson_network
from .loop_inputs import ClosedLines as ClosedLines, Plaquettes as Plaquettes
from .traces import Traces as Traces

from .activation import GaugeActivation as GaugeActivation
from .bilinear import GaugeBilinear as GaugeBilinear
from .loop_inputs import ClosedLines as ClosedLines, Plaquettes as Plaquettes
from .traces import Traces as Traces

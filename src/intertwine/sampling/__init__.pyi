from . import (
    gauge as gauge,
    gibbs as gibbs,
    metropolis as metropolis,
    spins as spins,
    statistics as statistics,
)
from .autoregressive import Autoregressive as Autoregressive
from .draw import Drawn as Drawn, NotMixed as NotMixed, sample as sample
from .enumeration import Enumeration as Enumeration
from .gauge.heat_bath import GaugeHeatBath as GaugeHeatBath
from .gibbs.annealed import Annealed as Annealed
from .gibbs.gibbs import Gibbs as Gibbs
from .gibbs.tempered_gibbs import TemperedGibbs as TemperedGibbs
from .gibbs.trajectory import TrajectoryGibbs as TrajectoryGibbs
from .laws import assert_detailed_balance as assert_detailed_balance
from .mean_values import averages as averages
from .metropolis.level_rules import Hops as Hops, Raise as Raise
from .metropolis.metropolis import Metropolis as Metropolis
from .metropolis.rules import (
    Exchange as Exchange,
    FlipSets as FlipSets,
    GlobalFlip as GlobalFlip,
    Mixture as Mixture,
    SingleFlip as SingleFlip,
)
from .metropolis.tempering import ParallelTempering as ParallelTempering
from .missing import complete as complete
from .spins.cluster import SwendsenWang as SwendsenWang
from .spins.heat_bath import HeatBath as HeatBath
from .spins.tempered_heat_bath import TemperedHeatBath as TemperedHeatBath
from .spins.wolff import Wolff as Wolff
from .statistics.estimate import Estimate as Estimate, estimate as estimate
from .statistics.reweighting import (
    MultiHistogram as MultiHistogram,
    OutsideData as OutsideData,
    reweight as reweight,
)

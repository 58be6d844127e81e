from .level_jastrow import LevelJastrow as LevelJastrow
from .level_spins import Encoding as Encoding, encoding as encoding
from .number_rbm import NumberRBM as NumberRBM
from .spins_on_levels import OnLevels as OnLevels, on_levels as on_levels

from .encoding import Encoding as Encoding, encoding as encoding
from .level_jastrow import LevelJastrow as LevelJastrow
from .on_levels import OnLevels as OnLevels, on_levels as on_levels

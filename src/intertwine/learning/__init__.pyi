from . import group_tables as group_tables, labels as labels, solvers as solvers
from .averaging import WeightAverage as WeightAverage
from .batches import Batches as Batches
from .gradient import OptaxGradient as OptaxGradient
from .group_tables.fit import fit_group_table as fit_group_table
from .group_tables.study import TableFit as TableFit
from .guard import Diverged as Diverged
from .labels.class_scores import (
    accuracy as accuracy,
    class_probabilities as class_probabilities,
    class_scores as class_scores,
    confusion_matrix as confusion_matrix,
    predict as predict,
)
from .metric import NaturalGradient as NaturalGradient
from .supervised import Supervised as Supervised
from .supervised_fit import fit_supervised as fit_supervised

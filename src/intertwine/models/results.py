"""Results in place of models, for all that stands above models (`intertwine._results`)."""

from intertwine._results import Scaling as Scaling, as_model as as_model, taken as taken, unscaled as unscaled

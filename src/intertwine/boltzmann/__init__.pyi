from . import (
    constructions as constructions,
    likelihood as likelihood,
    objectives as objectives,
    partition as partition,
    sklearn as sklearn,
    training as training,
)
from .cascade.curie_weiss import curie_weiss as curie_weiss
from .cascade.deep_linear import deep_linear_mode as deep_linear_mode
from .cascade.emergence import Emergence as Emergence, emergence as emergence
from .cascade.flow import gradient_flow as gradient_flow
from .cascade.gaussian_modes import (
    gaussian_final as gaussian_final,
    gaussian_half_time as gaussian_half_time,
    gaussian_mode as gaussian_mode,
    gaussian_steps as gaussian_steps,
    gaussian_time as gaussian_time,
)
from .cascade.lines import EmergenceTrace as EmergenceTrace
from .cascade.principal_modes import PrincipalModes as PrincipalModes, principal_modes as principal_modes
from .cascade.scaling import PeakScaling as PeakScaling, peak_scaling as peak_scaling
from .constructions.added_unit import add_hidden_unit as add_hidden_unit
from .constructions.representability import represent as represent
from .contact_scores import contacts as contacts, couplings as couplings
from .likelihood.belief_bound import belief_bound as belief_bound
from .likelihood.bound import (
    importance_bound as importance_bound,
    structured_bound as structured_bound,
    variational_bound as variational_bound,
)
from .likelihood.likelihood import (
    free_energy_gap as free_energy_gap,
    kl_divergence as kl_divergence,
    log_likelihood as log_likelihood,
    reconstruction_error as reconstruction_error,
)
from .likelihood.pseudo_likelihood import pseudo_likelihood as pseudo_likelihood
from .objectives.mean_field import mean_field_posterior as mean_field_posterior
from .objectives.methods import CD as CD, PCD as PCD, ExactKL as ExactKL, ModeJumps as ModeJumps
from .objectives.tempering import (
    PT as PT,
    TrajectoryTempering as TrajectoryTempering,
    stored_models as stored_models,
)
from .objectives.transport import Wasserstein as Wasserstein
from .partition.log_partition import (
    AIS as AIS,
    Exact as Exact,
    LogPartition as LogPartition,
    log_partition as log_partition,
)
from .partition.trajectory_log_z import TrajectoryLogZ as TrajectoryLogZ
from .sklearn.estimators import BoltzmannMachine as BoltzmannMachine
from .sklearn.estimators_deep import (
    DeepBeliefNetwork as DeepBeliefNetwork,
    DeepBoltzmannMachine as DeepBoltzmannMachine,
)
from .temperature import at_temperature as at_temperature
from .training.classifier import (
    LabelScores as LabelScores,
    labelled_rbm as labelled_rbm,
    learn_classifier as learn_classifier,
    sample_given_label as sample_given_label,
)
from .training.deep_belief import learn_deep_belief as learn_deep_belief, learn_up_down as learn_up_down
from .training.deep_boltzmann import learn_deep_boltzmann as learn_deep_boltzmann
from .training.deep_network import upper_means as upper_means
from .training.fine_tune import beside as beside, fine_tune as fine_tune
from .training.learn import learn as learn

from .choice import (
    CHAINS as CHAINS,
    DEEP_FACTOR as DEEP_FACTOR,
    DEEP_STEPS as DEEP_STEPS,
    FINAL_FACTOR as FINAL_FACTOR,
    LEARNING_RATE as LEARNING_RATE,
    LEARNING_RATE_END as LEARNING_RATE_END,
    MAX_NORM as MAX_NORM,
    MODEL as MODEL,
    MOMENTUM as MOMENTUM,
    SAMPLES as SAMPLES,
    SHIFT as SHIFT,
    SHIFT_END as SHIFT_END,
    STEPS as STEPS,
    SUM_MAX_NORM as SUM_MAX_NORM,
    SUM_SHIFT_END as SUM_SHIFT_END,
    WARMUP as WARMUP,
    Choice as Choice,
    max_norm as max_norm,
    optimiser as optimiser,
)
from .chosen import build_model as build_model, choose as choose
from .qubits import for_model as for_model, of_circuits as of_circuits
from .representable import cannot_represent as cannot_represent
from .spaces import may_sum as may_sum
from .symmetries import (
    orbit_sums as orbit_sums,
    place_of as place_of,
    stoquastic_frame as stoquastic_frame,
    symmetry_of as symmetry_of,
)
from .units import in_units_of as in_units_of

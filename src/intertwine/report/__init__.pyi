from . import classify as classify, ground_state as ground_state, learn as learn, renormalize as renormalize
from .page import write_report as write_report

"""Networks as renormalization steps: trained machines, their flows and couplings."""

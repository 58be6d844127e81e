"""Autoregressive wave functions: ψ(s) = Π ψ_t(s_t | s_<t), normalised exactly and sampled without chains."""

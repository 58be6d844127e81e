"""Wave functions in time: the variational principle, projected steps, and an account of their errors."""

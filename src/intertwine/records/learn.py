"""What a learning run writes."""

from intertwine.records.schema import NUMBERS, WORD, Entry, Schema

SCHEMA = Schema(
    version=2,
    columns=(
        Entry("step", "line"),
        Entry("epoch", "passes over the data"),
        Entry("updates", "updates of the parameters in this line"),
        Entry("log_likelihood", "mean log-likelihood of held-out rows", "nats"),
        Entry("log_likelihood_error", "its standard error", "nats"),
        Entry("log_likelihood_lower", "the lower end of its bracket", "nats"),
        Entry("log_likelihood_upper", "the upper end of its bracket", "nats"),
        Entry("log_likelihood_train", "mean log-likelihood of rows to learn from", "nats"),
        Entry("log_z", "ln Z", "nats"),
        Entry("log_z_trusted", "whether ln Z can be trusted"),
        Entry("pseudo_likelihood", "pseudo-log-likelihood", "nats"),
        Entry("reconstruction_error", "mean squared error of the reconstruction"),
        Entry("free_energy", "mean free energy of rows to learn from", "nats"),
        Entry("free_energy_gap", "free energy of held-out rows less that of rows to learn from", "nats"),
        Entry("learning_rate", "learning rate"),
        Entry("update_norm", "norm of the update of the parameters"),
        Entry("seconds", "time of the line", "s"),
        Entry("bound", "variational bound", "nats"),
        Entry("stage", "which part of the machine learns", form=WORD),
        Entry("singular_values", "largest singular values of W", form=NUMBERS),
    ),
    results=(
        Entry("log_likelihood", "of each set: mean, error, lower, upper, rows", "nats"),
        Entry("log_z", "ln Z: mean, error, ess, lower, upper, trusted, method", "nats"),
        Entry("independent_columns", "log-likelihood of independent columns", "nats"),
        Entry("sampling", "the chains of the samples: how many, how far apart, tau, r_hat, ess"),
        Entry("modes", "shares of the modes in the machine and in the samples"),
        Entry("observables", "exact means beside those of samples and of the data"),
        Entry("data", "what was learnt from"),
        Entry("units", "units of the visible layer"),
        Entry("parameters", "parameters of the machine"),
        Entry("epochs", "passes over the data"),
        Entry("seconds", "wall time", "s"),
        Entry("warnings", "what qualifies the numbers"),
    ),
)

"""What a run of fields writes."""

from intertwine.records.schema import Entry, Schema

SCHEMA = Schema(
    version=1,
    columns=(
        Entry("step", "line"),
        Entry("epoch", "passes over the samples"),
        Entry("loss", "half the mean square of standardised targets"),
        Entry("rmse", "root mean square error of standardised targets"),
        Entry("validation_loss", "half the mean square of the samples held out"),
        Entry("validation_rmse", "root mean square error of the samples held out"),
        Entry("learning_rate", "learning rate"),
        Entry("seconds", "time of the line", "s"),
    ),
    results=(
        Entry("errors", "of each target: root mean square error, in its unit, and of the baselines"),
        Entry("tested_on", "which samples those are: test, validation or train"),
        Entry("rotations", "root mean square error of samples that are turned, in the same units"),
        Entry("equivariance", "relative errors by layer and element"),
        Entry("sampled", "whether its non-linearities are sampled, so that it is equivariant about"),
        Entry("space", "where the network works"),
        Entry("network", "its architecture"),
        Entry("parameters", "parameters of the network"),
        Entry("model", "variables, units and standardisation"),
        Entry("data", "what was learnt from"),
        Entry("epochs", "passes over the samples"),
        Entry("best", "the epoch whose network is kept"),
        Entry("seconds", "wall time", "s"),
        Entry("warnings", "what qualifies the numbers"),
    ),
)

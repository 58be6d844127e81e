"""What a classifying run writes."""

from intertwine.records.schema import NUMBERS, Entry, Schema

SCHEMA = Schema(
    version=2,
    columns=(
        Entry("step", "line"),
        Entry("epoch", "passes over the images"),
        Entry("loss", "mean loss of the mini-batches", "nats"),
        Entry("accuracy", "accuracy on the mini-batches"),
        Entry("validation_loss", "mean loss of the validation images", "nats"),
        Entry("validation_accuracy", "accuracy on the validation images"),
        Entry("learning_rate", "learning rate"),
        Entry("conserved_drift", "largest change of what gradient flow conserves, over its terms"),
        Entry("conserved_change", "root mean square change of what gradient flow conserves"),
        Entry("updates", "updates before this line, of a group's table"),
        Entry("symmetry_error", "equivariance error of the scores under G × G"),
        Entry("class_error", "distance of the scores from functions of the class"),
        Entry("irrep_energy", "shares of the scores' energy by irrep", form=NUMBERS),
        Entry("irrep_weights", "shares of the weights' energy by irrep", form=NUMBERS),
        Entry("seconds", "time of the line", "s"),
    ),
    results=(
        Entry("test", "of the images tested: accuracy, error, loss, count"),
        Entry("tested_on", "which images those are: test, validation or train"),
        Entry("baseline", "accuracy of always saying the commonest class"),
        Entry("validation", "accuracy, error, loss, count of the validation images"),
        Entry("equivariance", "relative errors by layer and group element"),
        Entry("angles", "accuracy on images turned by each angle"),
        Entry("rotations", "accuracy on images on a sphere turned at random"),
        Entry("space", "the sphere or mesh that the images lie on"),
        Entry("emergence", "symmetry that a network of a group's table learned, and when"),
        Entry("conserved", "what gradient flow conserves: laws, independent, formulas, drift, warnings"),
        Entry("confusion", "counts of class (row) taken for class (column)"),
        Entry("classes", "names of the classes"),
        Entry("data", "what was learnt from"),
        Entry("parameters", "parameters of the network"),
        Entry("epochs", "passes over the images"),
        Entry("best", "the epoch whose network is kept"),
        Entry("seconds", "wall time", "s"),
        Entry("warnings", "what qualifies the numbers"),
    ),
)

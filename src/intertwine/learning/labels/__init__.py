"""Labels: names of classes, scores, data with labels."""

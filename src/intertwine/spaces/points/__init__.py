"""Points in space: clouds, their neighbours, harmonics of directions."""

"""Deep wave functions: vision transformers and residual convolutional networks of configurations."""

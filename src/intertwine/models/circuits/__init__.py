"""Arithmetic circuits as wave functions: convolutional and recurrent, with reuse of features."""

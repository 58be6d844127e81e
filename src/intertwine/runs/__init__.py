"""The engine of runs: folder, checkpoints, settings, interruption, workers. It knows no command."""

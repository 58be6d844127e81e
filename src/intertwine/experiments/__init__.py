"""Experiments: a validated configuration in, a run folder out.

    kinds.py            the registry: one row a kind of experiment
    settings.py         reading and writing configurations: TOML, flags, errors in one line each
    run_folder.py       the folder: write aside and rename, one writer at a time, metrics a line a step
    checkpoints.py      orbax checkpoints with checksums; a damaged one is refused, the one before it used
    run_data.py         the data of a run, and that they are the same when it goes on
    training.py         stages of a training as lines of metrics
    running.py          what every run does while it goes on: metrics, checkpoints, an end to resume from
    progress.py         what is shown meanwhile
    load.py             what a run folder holds, as objects to go on with

    ground_state.py     the kind `ground-state`: configuration.py, consistency.py, build.py, results.py
    learn.py            the kind `learn`: learn_configuration.py, learn_build.py (its stages),
                        learn_measures.py, learn_results.py, learn_progress.py
    classify.py         the kind `classify`: classify_configuration.py, classify_data.py, classify_measures.py

Nothing heavy is imported here: the command line must answer at once.
"""

"""Experiments: a validated configuration in, a run folder out.

    configuration.py   what may be asked, complete, checked before anything is computed
    settings.py        reading and writing it: TOML, flags, errors in one line each
    run_folder.py      the folder: write aside and rename, one writer at a time, metrics a line a step
    checkpoints.py     orbax checkpoints with checksums; a damaged one is refused and the previous good one
    used kinds.py           the registry: one kind of experiment, one file ground_state.py    the kind
    `ground-state` results.py         `result.json` and `result.nc` of a ground state progress.py
    what is shown while a run goes on

Nothing heavy is imported here: the command line must answer at once.
"""

"""The engine of runs; it knows no command.

    kinds.py         the registry: one row a command
    settings.py      reading and writing settings: TOML, errors in one line each; fields.py their fields
    running.py       what every run does while it goes on: metrics, checkpoints, an end to resume from
    run_folder.py    the folder: write aside and rename, one writer at a time, metrics a line a step
    checkpoints.py   orbax checkpoints with checksums; a damaged one is refused, the one before it used
    complete.py      a complete run, opened: its settings, result and metrics
    dataset.py       result.nc, and the versions that numbers depend on
    progress.py      what is shown meanwhile; terminal.py: on any terminal
    shared/          several processes of one run; begun.py: runs that begin with another
    lock.py, exchange.py, run_paths.py, interruption.py     one writer, one act, and an end from outside

Nothing heavy is imported here: the command line must answer at once.
"""

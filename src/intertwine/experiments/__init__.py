"""A folder a command: its settings, its study (what runs, line by line), its results.

    datasets.py      the data of a run, and that they are the same when it goes on
    memory_needs.py  what every run holds in memory besides its own
    load.py          what a run folder holds, as objects to go on with

Nothing heavy is imported here: the command line must answer at once.
"""

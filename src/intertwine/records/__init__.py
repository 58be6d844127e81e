"""What stands in the files of a run folder: one reading for writers, the report and the tests."""

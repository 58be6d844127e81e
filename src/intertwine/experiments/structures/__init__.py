"""The commands `fields` and `classify` where their data are structures: one study for both."""

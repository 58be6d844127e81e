"""The command `classify` where its data are the multiplication table of a group."""

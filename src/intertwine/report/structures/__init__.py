"""The report of `fields` and `classify` on structures."""

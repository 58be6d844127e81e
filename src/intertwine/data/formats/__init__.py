"""Files of data, format by format."""

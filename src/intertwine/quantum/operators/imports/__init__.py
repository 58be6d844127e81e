"""Operators from elsewhere: text files of terms, and the operators of other libraries."""

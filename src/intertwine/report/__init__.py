"""Reports: figures and a self-contained HTML page, pure functions of a run folder.

read.py             the folder as checked, plain data
figures.py          one function a figure against step: data in, plotly figure out
lattice_figures.py  the same for spin correlations and structure factor
theme.py            colours and templates, light and dark
plates.py           each figure with its caption, alternative text and table
summary.py          the words: headline, notices, tables, commands
numbers.py          numbers as words
page.py             the page (page.html.j2, page.css, page.js), written aside and renamed
"""

from intertwine.report.page import write_report

__all__ = ["write_report"]

"""Reports: figures and a self-contained HTML page, pure functions of a run folder.

views.py            the registry: one row a kind of run
folder.py           the files of a run folder, checked, plain data
page.py             the page (page.html.j2, page.css, page.js), written aside and renamed
theme.py            colours and templates, light and dark
numbers.py          numbers as words
plates.py           figures and pictures with caption, alternative text and table
pictures.py         rows of numbers as small PNG pictures

read.py, figures.py, lattice_figures.py, plates.py, summary.py          ground states
learn_read.py, learn_figures.py, learn_plates.py, learn_summary.py      learning runs
"""

from intertwine.report.page import write_report

__all__ = ["write_report"]

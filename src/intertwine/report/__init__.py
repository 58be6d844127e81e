"""Reports: figures and a self-contained HTML page, pure functions of a run folder.

views.py            which folder draws a run: a row of records/kinds.py says so
folder.py           the files of a run folder, checked, plain data
page.py             the page (page.html.j2, page.css, page.js), written aside and renamed
theme.py            colours and templates, light and dark
numbers.py          numbers as words
plate.py            figures and pictures with caption, alternative text and table
series.py           series of numbers as plotly takes them
common.py           words that all pages share
pictures.py         rows of numbers as small PNG pictures

ground_state/, learn/, classify/, renormalize/, plain/      read.py, plates.py, summary.py (and figures)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

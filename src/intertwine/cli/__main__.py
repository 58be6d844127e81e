"""python -m intertwine.cli"""

import sys

from intertwine.cli import main

sys.exit(main())

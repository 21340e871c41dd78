"""``python -m dispatcher.practice``."""

from __future__ import annotations

import sys

from dispatcher.practice.run import main

sys.exit(main())

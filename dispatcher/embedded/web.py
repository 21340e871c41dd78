"""The web application under the supervisor: granian's worker process dies with granian, however that one ends.

Granian does not see to that itself: killed, it leaves its worker behind, which keeps the port.
"""

import os

from dispatcher.config.asgi import application
from dispatcher.embedded.tether import die_with

die_with(os.getppid())

__all__ = ["application"]

"""What the tests here begin with: the hosts and programs of tests/system, and figures that are printed at the end."""

from disks import disk  # noqa: F401
from figures import figures, pytest_terminal_summary  # noqa: F401
from fixtures import (  # noqa: F401
    host,
    library,
    memory_host,
    ordinary_host,
    outside,
    programs,
    times,
)

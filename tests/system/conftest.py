"""What the tests here begin with."""

from disks import disk  # noqa: F401
from fixtures import (  # noqa: F401
    here,
    host,
    library,
    memory_host,
    ordinary_host,
    outside,
    programs,
    root_host,
    times,
)

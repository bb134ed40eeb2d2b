"""Reading foreign formats by libraries whose words on a damaged file may quote it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from site_agent.contract.errors import QuorumError
from site_agent.importing.faults import unfit


@contextmanager
def quietly(name: str) -> Iterator[None]:
    """Turn whatever a library raises on a file into one sentence; what it prints goes nowhere.

    A panic of a library in Rust is no Exception, and is printed before it is raised.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    except (MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit, QuorumError):
        raise
    except BaseException:
        raise unfit(
            name,
            "corrupt file",
            "the file cannot be read (cut short, damaged, protected by a password, or of another "
            "format than its name says); export it again",
        ) from None
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)

"""Databases of the PostgreSQL server that is started for the tests."""

from __future__ import annotations

from itertools import count
from typing import Final

import psycopg

NUMBERS: Final = count()


def new_database(server: str, template: str = "template1") -> str:
    """The URL of a new database of a PostgreSQL server, a copy of another."""
    name = f"exchange_{next(NUMBERS)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return f"{server}/{name}"

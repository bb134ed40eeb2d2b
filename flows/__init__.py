"""Prefect flows of the coordinating center: they schedule and show, and compute nothing."""

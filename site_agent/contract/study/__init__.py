"""The study file: reading it strictly, its canonical form, its roster."""

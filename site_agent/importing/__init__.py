"""Bringing a hospital's own files (CSV, Excel, REDCap, SAS, SPSS, Stata) into a study's tables."""

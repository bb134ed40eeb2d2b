"""What a hospital draws of its own patients, for its own eyes.

Single patients show here, so nothing of this package is imported by what answers a study; a test
walks the imports.
"""

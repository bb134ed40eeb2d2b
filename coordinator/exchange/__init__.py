"""The exchange: a mailbox over HTTP that keeps the signed messages of releases in order."""

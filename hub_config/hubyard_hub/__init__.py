"""The hub's side of Hubyard: what is configured, supervised and remembered."""

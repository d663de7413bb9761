"""Apps: small web apps made from a notebook or a file, published by their owners."""

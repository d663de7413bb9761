"""`python -m hubyard.cli`: the command, where its script is not on the path."""

import sys

from hubyard.cli import main

sys.exit(main())

"""`python -m googlenet`: the command line."""

import sys

from googlenet.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

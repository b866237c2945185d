"""`python -m autoact`: the `autoact` command."""

import sys

from autoact.cli import main

if __name__ == "__main__":
    sys.exit(main())

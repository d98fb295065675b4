"""``python -m synnodtest`` is the command ``synnodtest``."""

import sys

from synnodtest.cli import main

if __name__ == "__main__":
    sys.exit(main())

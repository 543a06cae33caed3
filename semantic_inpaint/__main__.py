"""`python -m semantic_inpaint`: the same as the console command."""

import sys

from semantic_inpaint.cli import main

if __name__ == "__main__":
    sys.exit(main())

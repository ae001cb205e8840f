"""`python -m aplt`: the command line, also where its script is not on the PATH."""

from aplt.cli.main import main

if __name__ == "__main__":
    main()

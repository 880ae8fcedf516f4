"""`python -m paypath` is the command `paypath`."""

from paypath.cli import main

if __name__ == "__main__":
    main()

"""`python -m paypath.cli`: the command without its script."""

from paypath.cli import main

main(prog_name="paypath")

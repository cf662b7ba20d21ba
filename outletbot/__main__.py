"""python -m outletbot."""

from outletbot.cli import main

main()

"""`python -m srl`: the command line, where the script `srl` is not on the path."""

from srl.cli.main import main

if __name__ == "__main__":
    main()

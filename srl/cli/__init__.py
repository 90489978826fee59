"""The command `srl`: one file a group of commands, put together in `main`."""

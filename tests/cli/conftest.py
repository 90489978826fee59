"""The command line in this process, for what needs no other."""

import pytest
from typer.testing import CliRunner

from srl.cli.main import app


@pytest.fixture
def srl():
    """Call `srl` with arguments; the result has exit_code, stdout and stderr."""

    def call(*arguments, exit_code=0):
        result = CliRunner().invoke(app, [str(each) for each in arguments], prog_name="srl")
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    return call

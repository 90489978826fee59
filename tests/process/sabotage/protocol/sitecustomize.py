"""Another version: all that this process says is of the next protocol."""

from srl_common import messages

messages.PROTOCOL += 1

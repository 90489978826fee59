"""Ends with 0 when /readyz answers 200. Few imports: it runs every few seconds in every container."""

import socket
import sys

PORT = 9100

with socket.create_connection(("127.0.0.1", PORT), timeout=2) as connection:
    connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
    status, _, text = connection.makefile("rb").read().partition(b"\r\n")
sys.stdout.write(text.rpartition(b"\r\n\r\n")[2].decode())
sys.exit(b" 200 " not in status)

"""What somebody in a container on the cluster's network reaches. Writes JSON: way in -> whether there was an answer.

python stranger.py SERVER_PUBLIC_KEY        without keys of the cluster, but for the public one
python stranger.py SERVER_PUBLIC_KEY FOLDER with those of an actor or a client
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis
import zmq

from srl_common.link import new_incarnation
from srl_common.messages import PROTOCOL, Hello, Role, encode

WAIT_MS = 3_000
PORTS = {Role.ACTOR: 5600, Role.OBSERVER: 5601}


def is_answered(role: Role, server_public: bytes = b"", secret: bytes = b"") -> bool:
    """Tell whether the memory service answers a Hello at all."""
    incarnation = new_incarnation()
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.ROUTING_ID, incarnation)
    if secret:
        socket.setsockopt(zmq.CURVE_SERVERKEY, server_public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, zmq.curve_public(secret))
    socket.connect(f"tcp://memory:{PORTS[role]}")
    socket.send_multipart(encode(Hello(PROTOCOL, role.value, "stranger", incarnation, "", 0, 0, {}, {})))
    answered = bool(socket.poll(WAIT_MS))
    socket.close()
    return answered


def is_done(user: str, password: str, *command: str) -> bool:
    """Tell whether Redis does what this user commands."""
    connection = redis.Redis("redis", username=user or None, password=password or None, socket_timeout=5)
    try:
        connection.execute_command(*command)
    except (redis.AuthenticationError, redis.ResponseError):
        return False
    return True


def without_keys(server_public: bytes) -> dict[str, bool]:
    """Try with nothing, and with a key that nobody has allowed."""
    _, unknown = zmq.curve_keypair()
    with ThreadPoolExecutor() as pool:
        plain = {role: pool.submit(is_answered, role) for role in PORTS}
        with_key = {role: pool.submit(is_answered, role, server_public, unknown) for role in PORTS}
    return {
        **{f"{role}, plain": answered.result() for role, answered in plain.items()},
        **{f"{role}, unknown key": answered.result() for role, answered in with_key.items()},
        "redis, no user": is_done("", "", "GET", "srl:board:last"),
        "redis, health, get": is_done("health", "any", "GET", "srl:board:last"),
        "redis, health, keys": is_done("health", "any", "KEYS", "*"),
        "redis, health, set": is_done("health", "any", "SET", "srl:board:last", "1"),
        "redis, health, config": is_done("health", "any", "CONFIG", "GET", "*"),
        "redis, guessed password": is_done("client", "client", "GET", "srl:board:last"),
        "redis, ping": is_done("health", "any", "PING"),
    }


def with_keys(server_public: bytes, folder: Path) -> dict[str, bool]:
    """Try what the keys in the folder of an actor or a client are for."""
    role = Role.ACTOR if folder.name == "actor" else Role.OBSERVER
    user, _, password = (folder / "redis.auth").read_text().strip().partition(":")
    secret = (folder / "curve.secret").read_bytes().strip()
    return {
        role.value: is_answered(role, server_public, secret),
        "redis, get": is_done(user, password, "GET", "srl:board:last"),
    }


if __name__ == "__main__":
    public = sys.argv[1].encode()
    print(json.dumps(with_keys(public, Path(sys.argv[2])) if sys.argv[2:] else without_keys(public)))

"""Where an algorithm computes: from settings such as "AUTO", "CPU" and "GPU:1" to a framework's own name."""

from __future__ import annotations

import importlib.util

_AUTO = {"", "AUTO"}


def torch_device(device: str) -> str:
    """Return PyTorch's name of a device. "AUTO" is a GPU if PyTorch is installed and has one, else the CPU.

    PyTorch's own names, such as "cuda:0" or "mps", stay what they are.
    """
    if device.upper() in _AUTO:
        return "cuda" if _has_gpu() else "cpu"
    return device.lower().replace("gpu", "cuda")


def tf_device(device: str) -> str:
    """Return TensorFlow's name of a device. "AUTO" is the CPU."""
    return "/CPU" if device.upper() in _AUTO else f"/{device.upper().removeprefix('/')}"


def actor_device(devices: str | list[str], actor_id: int) -> str:
    """Return the device of an actor. Of a list, actors take the entries in turn; an empty one is "AUTO".

    "AUTO" is the CPU here: an actor sees one state at a time.
    """
    names = [devices] if isinstance(devices, str) else devices
    name = names[actor_id % len(names)] if names else ""
    return "CPU" if name.upper() in _AUTO else name


def _has_gpu() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()

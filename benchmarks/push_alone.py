"""The yardstick of the push benchmark: the encryption of RFC 8291 and nothing else, in as many processes as send."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.kit.push_address import PushAddress, base64url
from channels.kit.push_crypto import encrypt

_AUTH = bytes(16)


def subscription(place: str, number: int) -> str:
    """The address of a device at ``place`` (scheme, host, port)."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = base64url(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    return f'{{"auth":"{base64url(_AUTH)}","endpoint":"{place}/push/{number:08}","p256dh":"{point}"}}'


def rate(processes: int, messages: int, octets: int) -> float:
    """Messages of ``octets`` encrypted a second, by so many processes at once, each ``messages``."""
    command = [sys.executable, "-m", "benchmarks.push_alone", str(messages), str(octets)]
    folder = Path(__file__).parents[1]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder)
        for _ in range(processes)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()  # ready
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return sum(messages / float(process.communicate()[0]) for process in started)
    finally:
        for process in started:
            process.kill()


def _encrypt(messages: int, octets: int) -> float:
    place = "https://fcm.googleapis.com"
    devices = [PushAddress.read(subscription(place, number)) for number in range(messages)]  # as in life: each once
    text = bytes(octets)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    began = time.perf_counter()
    for device in devices:
        encrypt(text, device)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.stdout.write(f"{_encrypt(int(sys.argv[1]), int(sys.argv[2]))}\n")

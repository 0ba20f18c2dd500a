"""Certificates for loopback addresses, each its own authority."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """Paths of PEM files. The certificate is what who trusts it needs as an authority."""

    certificate: Path
    key: Path


def self_signed(folder: Path, name: str) -> Certificate:
    """Make a certificate for 127.0.0.1 and localhost."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}-key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", str(made.key)]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    subprocess.run([*command, "-out", str(made.certificate)], check=True, capture_output=True)
    return made

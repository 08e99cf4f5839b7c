"""Certificates, made while the tests run: one in the tree would expire."""

import atexit
import functools
import pathlib
import shutil
import subprocess
import tempfile


class Certificate:
    """A certificate and its key, as PEM files."""

    def __init__(self, cert, key):
        self.cert = cert
        self.key = key

    def settings(self):
        return {"cert": str(self.cert), "key": str(self.key)}


class Authority(Certificate):
    """Signs others; its own certificate is what a client has to trust."""

    def __init__(self, folder, name):
        super().__init__(folder / f"{name}.pem", folder / f"{name}.key")
        self.folder = folder
        self.count = 0
        basic = "basicConstraints=critical,CA:TRUE"
        make(self, name, ["-days", "30", "-addext", basic, "-addext", "keyUsage=keyCertSign"], "-x509")

    def issue(self, *names, days=30):
        """For DNS names and addresses; with `days` below 0 it has expired."""
        self.count += 1
        stem = f"{self.cert.stem}-{self.count}"
        made = Certificate(self.folder / f"{stem}.pem", self.folder / f"{stem}.key")
        listed = ",".join(("IP:" if is_address(n) else "DNS:") + n for n in names)
        wish = ["-addext", f"subjectAltName={listed}", "-addext", "basicConstraints=CA:FALSE"]
        make(made, names[0], wish)
        openssl("x509", "-req", "-in", made.cert, "-out", made.cert, "-days", days, *self.signs())
        return made

    def signs(self):
        more = ["-copy_extensions", "copyall", "-CAcreateserial"]
        return ["-CA", self.cert, "-CAkey", self.key, *more]


def is_address(name):
    return ":" in name or name.replace(".", "").isdigit()


def openssl(*words):
    command = ["openssl", *(str(word) for word in words)]
    subprocess.run(command, check=True, capture_output=True)


def make(made, name, options, *more):
    """A key, and a request for a certificate; or one that signs itself."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", made.key]
    openssl("req", *more, *key, "-subj", f"/CN={name}", "-out", made.cert, *options)
    made.key.chmod(0o600)


@functools.cache
def folder():
    made = pathlib.Path(tempfile.mkdtemp(prefix="drover-test-certificates-"))
    atexit.register(shutil.rmtree, made, True)
    return made


@functools.cache
def authority(name="authority"):
    return Authority(folder(), name)


@functools.cache
def local():
    """For a server of this machine; what `harness.tls` trusts by itself."""
    return authority().issue("localhost", "127.0.0.1", "::1")

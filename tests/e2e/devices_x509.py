# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates of devices: of their own, or of an authority, with whatever is wrong with them."""
import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.utcnow()


def name_of(*names):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])


class Authority:
    """A CA in FOLDER; ABOVE: the one that has issued it."""

    def __init__(self, folder, name, above=None):
        self.folder = folder
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.above = above
        issuer = above or self
        self.certificate = (
            x509.CertificateBuilder().subject_name(name_of(name)).issuer_name(name_of(issuer.name))
            .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now() - 10 * DAY).not_valid_after(now() + 1000 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False),
                           critical=True)
            .sign(issuer.key, hashes.SHA256()))
        self.file = os.path.join(folder, f"{name}.pem")
        write(self.file, pem(self.certificate))
        self.revoked = []

    def issue(self, label, *names, san=(), begin=-1, end=30, usage=ExtendedKeyUsageOID.CLIENT_AUTH,
              chain=()):
        return Certificate(self.folder, label, names, self, san, begin, end, usage, chain)

    def revoke(self, *certificates, until=30):
        """The list of all that it has revoked; its path."""
        self.revoked += certificates
        builder = (x509.CertificateRevocationListBuilder().issuer_name(name_of(self.name))
                   .last_update(now() - DAY).next_update(now() + until * DAY))
        for one in self.revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
                .revocation_date(now() - DAY).build())
        path = os.path.join(self.folder, f"{self.name}-crl.pem")
        write(path, pem(builder.sign(self.key, hashes.SHA256())))
        return path


class Certificate:
    """A device's, and its key: `files` is what a client shows. ISSUER None: signed by itself."""

    def __init__(self, folder, label, names, issuer=None, san=(), begin=-1, end=30,
                 usage=ExtendedKeyUsageOID.CLIENT_AUTH, chain=()):
        self.key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder().subject_name(name_of(*names))
            .issuer_name(name_of(issuer.name) if issuer else name_of(*names))
            .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now() + begin * DAY).not_valid_after(now() + end * DAY)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False))
        if san:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(one) for one in san]), critical=False)
        self.certificate = builder.sign(issuer.key if issuer else self.key, hashes.SHA256())
        self.files = (os.path.join(folder, f"{label}.pem"), os.path.join(folder, f"{label}-key.pem"))
        write(self.files[0], b"".join([pem(self.certificate)] + [pem(one.certificate) for one in chain]))
        write(self.files[1], self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))

    def thumbprint(self, how=hashes.SHA256):
        return self.certificate.fingerprint(how()).hex()


def pem(thing):
    return thing.public_bytes(serialization.Encoding.PEM)


def write(path, data):
    """In one step, as whoever renews a certificate should."""
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates of a site's own authority, with any name and dates; made by openssl."""
import os

from harness import run_ok

CONFIG = """[ca]
default_ca = own
[own]
database = {dir}/index
new_certs_dir = {dir}
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[leaf]
subjectAltName = DNS:{name}
extendedKeyUsage = serverAuth
"""


def make(site, name="localhost", begin="20200101000000Z", end="20991231235959Z"):
    """A certificate for NAME from the site's authority; returns the paths of it and of its key."""
    state = os.path.join(site.dir, "hub-state")
    where = os.path.join(site.dir, f"certificate-{len(os.listdir(site.dir))}")
    os.mkdir(where, 0o700)
    config, key, request, certificate = (os.path.join(where, part) for part in
                                         ("conf", "key.pem", "request.pem", "certificate.pem"))
    with open(config, "w", encoding="ascii") as file:
        file.write(CONFIG.format(dir=where, name=name))
    with open(os.path.join(where, "index"), "w", encoding="ascii"):
        pass
    run_ok(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", key, "-out", request])
    run_ok(["openssl", "ca", "-batch", "-notext", "-config", config, "-extensions", "leaf",
            "-startdate", begin, "-enddate", end, "-cert", os.path.join(state, "ca.pem"),
            "-keyfile", os.path.join(state, "ca-key.pem"), "-in", request, "-out", certificate])
    return certificate, key

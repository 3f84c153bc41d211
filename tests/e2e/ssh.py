# SPDX-License-Identifier: LGPL-2.1-or-later
"""ssh by the name of a device, and what people do over it: `streamctl connect --fdpass` as the
installed snippet calls it, `streamctl ssh`, and the real scp, sftp, rsync, git and Ansible."""
import array
import glob
import os
import pty
import select
import shutil
import socket
import subprocess
import time

from ends import Server, Sshd, connect
from harness import PATIENCE, Failure, Site, check, check_equal, eventually, main, run, run_ok

BLOCK = 3 << 20
NAMES = ("Pump_7.north", "colon:id")  # what a device may be called


class Laptop:
    """The client's side of a site whose gateway offers an sshd: a home with an ssh configuration that
    includes the snippet, as /etc/ssh/ssh_config would, and knows the gateway's key under its names."""

    def __init__(self, site, hosts=("gw-1.device",)):
        self.site = site
        self.sshd = Sshd(site)
        site.expose("ssh", self.sshd.address)
        self.snippet = os.path.join(site.dir, "snippet.conf")
        with open(os.environ["SSH_SNIPPET"], encoding="utf-8") as file:
            text = file.read()
        check("/streamctl connect " in text, "the snippet calls streamctl")
        with open(self.snippet, "w", encoding="utf-8") as file:
            for line in text.splitlines():
                if "ProxyCommand" in line:
                    line = f"    ProxyCommand {site.streamctl} {line.split('/streamctl ', 1)[1]}"
                file.write(line + "\n")
        self.config = os.path.join(site.dir, "ssh_config")
        self.configure()
        self.know(*hosts)
        self.env = dict(site.client.env, GIT_SSH_COMMAND=f"ssh -F {self.config}",
                        GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null",
                        RSYNC_RSH=f"ssh -F {self.config}", SHELL="/bin/sh")

    def configure(self, more="", snippet=True):
        """A user's own words come before the system's, as in ~/.ssh/config."""
        with open(self.config, "w", encoding="ascii") as file:
            file.write(more)
            file.write(f"Match all\n  IdentityFile {self.sshd.user_key}\n  IdentitiesOnly yes\n"
                       "  IdentityAgent none\n  BatchMode yes\n  StrictHostKeyChecking yes\n"
                       f"  UserKnownHostsFile {self.site.dir}/known_hosts\n"
                       "  GlobalKnownHostsFile none\n")
            if snippet:
                file.write(f"  Include {self.snippet}\n")

    def know(self, *names):
        with open(self.sshd.host_key + ".pub", encoding="ascii") as file:
            key = " ".join(file.read().split()[:2])
        with open(os.path.join(self.site.dir, "known_hosts"), "w", encoding="ascii") as file:
            file.writelines(f"{name} {key}\n" for name in names)

    def run(self, *argv, **kwargs):
        return run(list(argv), env=self.env, **kwargs)

    def run_ok(self, *argv, **kwargs):
        return run_ok(list(argv), env=self.env, **kwargs)

    def ssh(self, host, *command):
        return self.run("ssh", "-F", self.config, host, *command)

    def streamctl_ssh(self, *arguments):
        """streamctl ssh, whose ssh reads our configuration: an ssh in front of it on the PATH does that."""
        before = os.path.join(self.site.dir, "bin")
        if not os.path.exists(before):
            os.mkdir(before)
            script = os.path.join(before, "ssh")
            with open(script, "w", encoding="ascii") as file:
                file.write(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.config} "$@"\n')
            os.chmod(script, 0o755)
        env = dict(self.env, PATH=before + ":" + self.env["PATH"])
        return run(self.site.client.argv("ssh", *arguments), env=env)


def check_said(done, wanted, what):
    check_equal((done.returncode, done.stdout), (0, wanted), f"{what} ({done.stderr.strip()})")


def random_file(path, size=BLOCK):
    with open(path, "wb") as file:
        file.write(os.urandom(size))
    return path


def same(one, other):
    with open(one, "rb") as left, open(other, "rb") as right:
        check(left.read() == right.read(), f"{other} differs from {one}")


def by_name():
    """ssh DEVICE.device: any name a device may have, a name of one's own, a chosen hub"""
    with Site() as site:
        laptop = Laptop(site, ("gw-1.device", "gw-1.office.device", "gw-1.*device"))
        check_said(laptop.ssh("gw-1.device", "echo $((6 * 7))"), "42\n", "ssh")
        check_said(laptop.ssh("gw-1.office.device", "echo there"), "there\n", "with the only hub's name")
        check_equal(laptop.ssh("gw-1.device", "exit 23").returncode, 23, "the command's exit status")
        laptop.configure("Host pump\n  HostName gw-1.device\n")
        check_said(laptop.ssh("pump", "echo alias"), "alias\n", "a name of one's own")
        laptop.configure()
        nobody = laptop.ssh("nobody.device", "true")
        check_equal(nobody.returncode, 255, "ssh to a device that is not there")
        check("nobody" in nobody.stderr, f"the reason is shown: {nobody.stderr}")
        site.client.add_hub("second", site.hub.connection_string("user", "service"), site.hub.ca)
        check("hub" in laptop.ssh("gw-1.device", "true").stderr, "which hub has to be said")
        check_said(laptop.ssh("gw-1.office.device", "echo chosen"), "chosen\n", "with two hubs")
        check_said(laptop.streamctl_ssh("--hub", "second", "gw-1", "echo by streamctl"),
                   "by streamctl\n", "streamctl ssh --hub")


def odd_names():
    """device IDs with upper case, dots, underscores and colons, as ssh and scp take them"""
    with Site(gateway=False) as site:
        site.gateway = site.start_daemon("gateway")
        for number, device in enumerate(NAMES):
            site.gateway.add_hub(f"as-{number}", site.hub.add_device(device), site.hub.ca)
            site.wait_online(device)
        hosts = [f"{device.lower()}.device" for device in NAMES]
        laptop = Laptop(site, hosts)
        sent = random_file(os.path.join(site.dir, "sent"), 1000)
        for device in NAMES:
            check_said(laptop.ssh(f"{device}.device", "echo it is"), "it is\n", device)
            check_said(laptop.streamctl_ssh(device, "echo it is"), "it is\n", device)
            copy = os.path.join(site.dir, "copy")
            laptop.run_ok("scp", "-q", "-F", laptop.config, sent, f"[{device}.device]:{copy}")
            same(sent, copy)
            os.unlink(copy)


def own_verb():
    """streamctl ssh: without the snippet; options and exit status are those of ssh; another stream"""
    with Site() as site:
        laptop = Laptop(site, ("gw-1.device",))
        laptop.configure(snippet=False)
        user = run_ok(["id", "-un"]).strip()
        check_said(laptop.streamctl_ssh(f"{user}@gw-1", "echo", "hello"), "hello\n", "a command")
        check_said(laptop.streamctl_ssh("gw-1", "--", "-T", "ls", "-d", "/"), "/\n", "after --")
        check_equal(laptop.streamctl_ssh("gw-1", "exit 7").returncode, 7, "exit status")
        check_equal(laptop.streamctl_ssh("--wait=0", "--timeout=5", "gone", "true").returncode, 255,
                    "exit status of an ssh that does not get there")
        for bad in ("-l@gw-1", "a b", "@gw-1", "user@", "gw/1/2", "x@-oProxyCommand"):
            check_equal(laptop.streamctl_ssh("--", bad).returncode, 2, f"refused: {bad}")
        site.expose("ssh-2", laptop.sshd.address)
        other = laptop.streamctl_ssh("--stream", "ssh-2", "gw-1", "true")
        check_equal(other.returncode, 255, "the key of another stream is not known yet")
        laptop.know("[gw-1.device]:ssh-2")
        check_said(laptop.streamctl_ssh("--stream", "ssh-2", "gw-1", "echo second"), "second\n",
                   "another stream")
        nothing = run(site.client.argv("ssh", "gw-1"), env=dict(laptop.env, PATH="/nonexistent"))
        check_equal(nothing.returncode, 1, "no ssh installed")


def receive_fd(ours):
    """What mm_receive_fd() of OpenSSH does: one byte, one descriptor."""
    fds = array.array("i")
    data, control, _flags, _ = ours.recvmsg(1, socket.CMSG_SPACE(fds.itemsize))
    check_equal((len(data), len(control)), (1, 1), "a byte and a descriptor")
    fds.frombytes(control[0][2])
    return socket.socket(fileno=fds[0])


def passing():
    """connect --fdpass: the stream outlives streamctl; its errors are connect's; no socket, no stream"""
    with Site() as site:
        def echo(connection):
            while data := connection.recv(65536):
                connection.sendall(data)

        site.expose("echo", Server(echo, site).address)
        before = site.count()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            done = site.client.ctl("connect", "--fdpass", "gw-1", "echo")
            check_equal(done.returncode, 2, "with a pipe as standard output")
            check("ProxyUseFdpass" in done.stderr, f"it says what it is for: {done.stderr}")
            check_equal(site.client.streams(), [], "no stream was opened for nothing")
            for arguments, status in ((("gw-1", "none"), 12), (("nobody", "echo"), 4)):
                child = site.client.start_ctl("connect", "--fdpass", *arguments, stdout=theirs,
                                              stderr=subprocess.DEVNULL)
                check_equal(child.wait(PATIENCE), status, f"exit code of {arguments}")
            child = site.client.start_ctl("connect", "--fdpass", "--ssh-host", "gw-1.device", "echo",
                                          stdout=theirs)
            check_equal(child.wait(PATIENCE), 0, "exit code")
            with receive_fd(ours) as stream:
                stream.settimeout(PATIENCE)
                for _ in range(3):
                    data = os.urandom(10000)
                    stream.sendall(data)
                    check_equal(stream.recv(len(data), socket.MSG_WAITALL), data, "the echo")
                check_equal(len(site.client.streams()), 1, "the stream lives on")
                stream.shutdown(socket.SHUT_WR)
                check_equal(stream.recv(1), b"", "the end comes back")
        site.wait_count(before)


def copying():
    """scp, sftp and rsync: files of three mebibytes each way, the same at the other end"""
    with Site() as site:
        laptop = Laptop(site)
        here, there = (os.path.join(site.dir, name) for name in ("here", "there"))
        os.mkdir(here)
        os.mkdir(there)
        sent = random_file(os.path.join(here, "one"))
        for legacy in ([], ["-O"]):
            laptop.run_ok("scp", "-q", *legacy, "-F", laptop.config, sent, f"gw-1.device:{there}/scp")
            laptop.run_ok("scp", "-q", *legacy, "-F", laptop.config, f"gw-1.device:{there}/scp",
                          f"{here}/scp")
            same(sent, f"{here}/scp")
        batch = os.path.join(site.dir, "batch")
        with open(batch, "w", encoding="ascii") as file:
            file.write(f"put {sent} {there}/sftp\nget {there}/sftp {here}/sftp\n")
        laptop.run_ok("sftp", "-q", "-F", laptop.config, "-b", batch, "gw-1.device")
        same(sent, f"{here}/sftp")
        laptop.run_ok("rsync", "-a", here + "/", f"gw-1.device:{there}/tree")
        with open(sent, "r+b") as file:
            file.seek(BLOCK // 2)
            file.write(b"changed")
        said = laptop.run_ok("rsync", "-a", "--stats", "--no-whole-file", here + "/",
                             f"gw-1.device:{there}/tree")
        same(sent, f"{there}/tree/one")
        literal = [line for line in said.splitlines() if line.startswith("Literal data")][0]
        check(int(literal.split()[2].replace(",", "")) < BLOCK // 10, f"only the change: {literal}")
        laptop.run_ok("rsync", "-a", f"gw-1.device:{there}/tree/", here + "/back")
        same(sent, f"{here}/back/one")


def git():
    """git clone, push and fetch"""
    with Site() as site:
        laptop = Laptop(site)
        there, here = os.path.join(site.dir, "there.git"), os.path.join(site.dir, "here")
        user = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
        laptop.run_ok("git", "init", "-q", "--bare", "-b", "main", there)
        laptop.run_ok("git", "clone", "-q", f"ssh://gw-1.device{there}", here)
        random_file(os.path.join(here, "file"))
        laptop.run_ok("git", "-C", here, "add", "file")
        laptop.run_ok("git", "-C", here, *user, "commit", "-q", "-m", "one")
        laptop.run_ok("git", "-C", here, "push", "-q", "origin", "HEAD:main")
        laptop.run_ok("git", "clone", "-q", f"gw-1.device:{there}", here + "-2")
        same(f"{here}/file", f"{here}-2/file")
        laptop.run_ok("git", "-C", here, *user, "commit", "-q", "--allow-empty", "-m", "two")
        laptop.run_ok("git", "-C", here, "push", "-q", "origin", "HEAD:main")
        laptop.run_ok("git", "-C", here + "-2", "pull", "-q")
        subject = laptop.run_ok("git", "-C", here + "-2", "log", "-1", "--format=%s")
        check_equal(subject, "two\n", "what was fetched")


def ansible():
    """Ansible: ping, a command and a copy, with nothing in the inventory but the name"""
    with Site() as site:
        laptop = Laptop(site)
        inventory = os.path.join(site.dir, "inventory")
        with open(inventory, "w", encoding="ascii") as file:
            file.write("gw-1.device ansible_python_interpreter=/usr/bin/python3\n")
        settings = os.path.join(site.dir, "ansible.cfg")
        with open(settings, "w", encoding="ascii") as file:
            file.write("[defaults]\n")
        sent, arrived = random_file(os.path.join(site.dir, "sent"), 100000), site.dir + "/arrived"
        # Its own defaults, but for the file: one connection that stays for the next command.
        shared = f"-F {laptop.config} -C -o ControlMaster=auto -o ControlPersist=60s"
        env = dict(laptop.env, ANSIBLE_SSH_ARGS=shared, ANSIBLE_SSH_CONTROL_PATH_DIR=site.dir + "/cp",
                   ANSIBLE_LOCAL_TEMP=site.dir + "/local", ANSIBLE_REMOTE_TEMP=site.dir + "/remote",
                   ANSIBLE_NOCOLOR="1", ANSIBLE_RETRY_FILES_ENABLED="0", ANSIBLE_CONFIG=settings)

        def module(name, arguments):
            return run_ok(["ansible", "all", "-i", inventory, "-m", name, "-a", arguments], env=env,
                          cwd=site.dir)

        check('"ping": "pong"' in module("ping", ""), "ping")
        check("gw-1.device | CHANGED | rc=0 >>\nfrom there" in module("command", "echo from there"),
              "a command")
        module("copy", f"src={sent} dest={arrived}")
        same(sent, arrived)
        check_equal(len(site.client.streams()), 1, "streams that carried all of it")
        laptop.run_ok("ssh", "-O", "exit", "-S", glob.glob(site.dir + "/cp/*")[0], "gw-1.device")


class Terminal:
    """A process on a terminal of its own, as somebody would start it."""

    def __init__(self, argv, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, env)
        self.text = b""

    def read(self, seconds):
        """What has come within that time, and whether it is over."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            return False
        self.text += data
        return bool(data)

    def until(self, wanted):
        deadline = time.monotonic() + PATIENCE
        while wanted not in self.text:
            if not self.read(1) or time.monotonic() > deadline:
                raise Failure(f"never came: {wanted!r}; what did: {self.text!r}")

    def finish(self):
        while self.read(PATIENCE):
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def progress():
    """a wait is shown on a terminal, and gone when it is over; a pipe sees nothing of it"""
    with Site(gateway=False) as site:
        site.gateway = site.start_daemon("gateway")
        site.expose("hello", Server(lambda connection: connection.sendall(b"hello"), site).address)
        identity = site.hub.add_device("late")
        env = dict(site.client.env, TERM="xterm")
        argv = site.client.argv("connect", "--wait", "late", "hello")
        quiet = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        site.children.append(quiet)
        shown = Terminal(argv, env)
        shown.until(b"Waiting for late, 1 s so far")
        shown.until(b"Waiting for late, 2 s so far")
        site.gateway.add_hub("late", identity, site.hub.ca)
        shown.until(b"\r\x1b[Khello")
        os.write(shown.fd, b"\x04")
        shown.finish()
        check(shown.text.endswith(b"\r\x1b[Khello"), f"nothing is left of it: {shown.text!r}")
        check_equal(quiet.communicate(timeout=PATIENCE), (b"hello", b""), "without a terminal")


def tunnel_progress():
    """a tunnel in the foreground tells that its connection waits for the device, and ssh does as well"""
    with Site(gateway=False) as site:
        site.gateway = site.start_daemon("gateway")
        laptop = Laptop(site, ("late.device",))
        identity = site.hub.add_device("late")
        env = dict(site.client.env, TERM="xterm")
        tunnel = Terminal(site.client.argv("tunnel", "open", "--wait", "late", "ssh"), env)
        tunnel.until(b"Listening on tcp:127.0.0.1:")
        shown = eventually(lambda: site.client.ctl_json("tunnel", "list"), "a tunnel")[0]
        with connect(int(shown["listen_address"].rsplit(":", 1)[1])) as near:
            tunnel.until(b"Waiting for late, 2 s so far")
            by_ssh = Terminal(site.client.argv("ssh", "--wait", "late", "--", "-F", laptop.config,
                                               "echo", "hello"), dict(laptop.env, TERM="xterm"))
            by_ssh.until(b"Waiting for late, 1 s so far")
            site.gateway.add_hub("late", identity, site.hub.ca)
            check_equal(near.recv(4), b"SSH-", "what sshd says through the tunnel")
        by_ssh.until(b"\r\x1b[Khello")
        check_equal(by_ssh.finish(), 0, "exit status of ssh")
        tunnel.until(b"gives up\r\x1b[K")
        os.write(tunnel.fd, b"\x03")
        check_equal(tunnel.finish(), 0, "exit status of a tunnel that is ended by Ctrl-C")


if __name__ == "__main__":
    main(by_name, odd_names, own_verb, passing, copying, git, ansible, progress, tunnel_progress)

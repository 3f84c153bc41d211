# SPDX-License-Identifier: LGPL-2.1-or-later
# Tunnels of the system's streamd, in its sandbox: the owner and root get in, other users do not.
. /test-lib/lib.sh

start_hub >/dev/null
hub connection-string user service --output /etc/streamd/service.cs
chown streamd /etc/streamd/service.cs
cat >/etc/streamd/streamd.conf <<'CONF'
[hub office]
ConnectionStringFile=/etc/streamd/service.cs
CaFile=/etc/streamd/ca.pem
AllowedUsers=alice
[limits]
ListenersPerUser=3
CONF
polkit_allows 'action.id.indexOf("io.streamd.streamd1.") == 0 && subject.user == "alice"'
systemctl start streamd

tunnel() {
    as alice streamctl --system tunnel open --background pump ssh --listen "$1"
}
# Says how the connection ended; a tunnel that takes it asks the hub, and cuts it when the hub says no.
try() {
    as "$1" timeout 5 python3 -c '
import socket, sys
name = sys.argv[1]
kind = socket.AF_UNIX if name[0] == "/" else socket.AF_INET
end = socket.socket(kind)
try:
    end.connect(name if name[0] == "/" else ("127.0.0.1", int(name)))
    end.recv(1)
except OSError:
    pass' "$2"
}
# accepted PATTERN: how many connections the tunnel took, as its owner is shown.
accepted() {
    as alice busctl --system get-property io.streamd.Streamd1 \
        "/io/streamd/Streamd1/tunnel/$1" io.streamd.Streamd1.Tunnel Accepted
}
last_error() {
    as alice busctl --system get-property io.streamd.Streamd1 \
        "/io/streamd/Streamd1/tunnel/$1" io.streamd.Streamd1.Tunnel LastError
}

ok 'TCP: the kernel can be asked in the sandbox' says 'Listening on tcp:127.0.0.1:2222' \
    tunnel tcp:127.0.0.1:2222
id=$(as alice streamctl --system --json tunnel list | grep -o '"id" *: *[0-9]*' | grep -o '[0-9]*$')
try bob 2222
ok 'bob is refused' is 't 0' accepted "$id"
ok 'and alice is told' until_true says 'user 2002 was refused' last_error "$id"
try alice 2222
ok 'alice is not' is 't 1' accepted "$id"
try root 2222
ok 'nor is root' is 't 2' accepted "$id"

ok 'a Unix socket has one place' says 'in /run/streamd/2001/' tunnel unix:/run/streamd/mine
ok "which is no other user's" says 'in /run/streamd/2001/' tunnel unix:/run/streamd/2002/mine
ok 'there it may be' says 'Listening on unix:/run/streamd/2001/web' tunnel unix:/run/streamd/2001/web
ok 'in a directory that is closed' is 'streamd 711' stat -c '%U %a' /run/streamd/2001
id=$(as alice streamctl --system --json tunnel list | grep -o '"id" *: *[0-9]*' | grep -o '[0-9]*$' | sort -n | tail -1)
try bob /run/streamd/2001/web
ok 'bob is refused here too' is 't 0' accepted "$id"
try alice /run/streamd/2001/web
ok 'and alice is not' is 't 1' accepted "$id"
ok 'bob sees no name' refused as bob ls /run/streamd/2001
ok 'a third' tunnel tcp:127.0.0.1:0
ok 'a fourth is over the limit' says ListenersPerUser tunnel tcp:127.0.0.1:0
ok 'a port that is taken' fails 6 as root streamctl --system tunnel open pump ssh --listen tcp:127.0.0.1:2222
plan

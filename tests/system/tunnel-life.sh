# SPDX-License-Identifier: LGPL-2.1-or-later
# Tunnels in the background come back, on the port that the kernel once chose: after a restart of
# streamd, of the user's manager and of the machine; and when somebody has taken the port meanwhile.
. /test-lib/lib.sh

# What the second boot has to know.
memory=/var/lib/tunnel-life
alice() {
    with_bus alice "$@"
}
unit() {
    alice systemctl --user "$@"
}
connected() {
    streamctl --system --json hub list | grep -q '"connected"'
}
# banner_of PORT [USER]: what an sshd says first.
banner_of() {
    # shellcheck disable=SC2016 # the inner shell's
    as "${2:-alice}" timeout 10 bash -c 'exec 3<>/dev/tcp/127.0.0.1/"$0" && head -c 4 <&3' "$1"
}
tunnel_port() {
    "$@" --json tunnel list | grep -o '127\.0\.0\.1:[0-9]*' | cut -d: -f2
}
start_sshd() {
    mkdir -p /run/sshd
    systemd-run -q --unit=test-sshd /usr/sbin/sshd -D -f /root/sshd_config
}
again() {
    ok "$1: the same port for alice" until_true is "$port" tunnel_port alice streamctl --user
    ok "$1: it works" until_true is SSH- banner_of "$port"
}

if [[ ! -e $memory ]]; then
    ssh-keygen -q -t ed25519 -N '' -f /root/key
    printf 'ListenAddress 127.0.0.1:22\nHostKey /root/key\nPidFile none\n' >/root/sshd_config
    start_sshd
    streamhub init --state-dir /var/lib/streamhub --host-name localhost >/dev/null
    systemctl -q enable --now streamhub streamd
    hub device add pump >/dev/null
    hub connection-string device pump --output /root/pump.cs
    hub connection-string user service --output /root/service.cs
    install -D -m 644 /var/lib/streamhub/ca.pem /etc/streamd/ca.pem
    install -o alice -m 600 /root/service.cs /home/alice/service.cs
    streamctl --system hub add plant --connection-string-file /root/pump.cs --ca /etc/streamd/ca.pem >/dev/null
    streamctl --system hub add out --connection-string-file /root/service.cs --ca /etc/streamd/ca.pem >/dev/null
    streamctl --system target add ssh tcp:127.0.0.1:22 >/dev/null
    streamctl --system accept-policy add --stream ssh --accept ssh >/dev/null
    start_manager alice
    unit -q enable --now streamd
    alice streamctl --user hub add plant --connection-string-file /home/alice/service.cs --ca /etc/streamd/ca.pem >/dev/null
    until_true connected

    ok 'alice opens one' alice streamctl --user tunnel open pump ssh --background
    ok 'root opens one of the system' streamctl --system tunnel open pump ssh --background --hub out
    port=$(tunnel_port alice streamctl --user) root_port=$(tunnel_port streamctl --system)
    ok 'it works' is SSH- banner_of "$port"
    ok 'that of the system, too' is SSH- banner_of "$root_port" root

    unit restart streamd
    again 'after a restart of streamd'
    systemctl restart user@2001
    again "after a restart of alice's manager"
    systemctl restart streamd
    ok 'after a restart of the system: the same port' is "$root_port" tunnel_port streamctl --system
    ok 'after a restart of the system: it works' until_true is SSH- banner_of "$root_port" root

    unit stop streamd
    systemd-run -q --unit=taker nc -l -k -s 127.0.0.1 -p "$port"
    taken() {
        ss -Hltn "sport = :$port" | grep -q .
    }
    until_true taken
    unit start streamd
    ok 'the port is taken: it is told' until_true says 'in use; trying again' alice streamctl --user tunnel list
    systemctl stop taker
    again 'the port is free again'
    ok 'and no error is left' refused says 'in use' alice streamctl --user tunnel list
    printf '%s\n' "$tests $failures $port $root_port" >$memory
    systemctl --no-block reboot
    sleep infinity
fi

read -r tests failures port root_port <$memory
start_sshd
ok 'both are started with the machine' is $'enabled\nenabled' systemctl is-enabled streamhub streamd
systemctl start streamhub streamd systemd-logind
ok 'after a reboot: the same port for root' until_true is "$root_port" tunnel_port streamctl --system
ok 'after a reboot: it works' until_true is SSH- banner_of "$root_port" root
again 'after a reboot'
plan

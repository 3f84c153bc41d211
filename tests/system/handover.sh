# SPDX-License-Identifier: LGPL-2.1-or-later
# Streams go on over a restart of streamd, by the descriptors that systemd keeps: at the gateway (the system's streamd),
# at the client (alice's), at both at once; after an upgrade; ssh restarts the streamd that carries it; a stop ends them, and a state that
# nobody can read ends them once.
. /test-lib/lib.sh

alice() {
    with_bus alice "$@"
}
unit() {
    alice systemctl --user "$@"
}
ctl() {
    alice streamctl --user "$@"
}
connected() {
    [[ $(streamctl --system --json hub list | grep -c '"connected"') -eq 1 ]]
}
tunnel_port() {
    ctl --json tunnel list | grep -o '127\.0\.0\.1:[0-9]*' | cut -d: -f2 | sed -n "${1:-1}p"
}
# flows NAME COUNT PORT: connections that are never at rest.
flows() {
    alice python3 /test-lib/handover.py "$3" "$2" "/home/alice/$1" >"/home/alice/$1.err" 2>&1 &
    until_true carried "$1" 3
}
value() { # NAME KEY
    sed -n "s/^$2 //p" "/home/alice/$1" 2>/dev/null
}
# carried NAME COUNT: so many pieces came back on each of its connections.
carried() {
    [[ $(value "$1" pieces) -ge $2 ]]
}
# goes_on NAME: each of its connections carries more, and none has ended.
goes_on() {
    local before
    before=$(value "$1" pieces)
    until_true carried "$1" $((before + 3)) && is 0 value "$1" ended || { cat "/home/alice/$1"; return 1; }
}
# ends NAME COUNT: in order, all of them.
ends() {
    touch "/home/alice/$1.stop"
    until_true is "$2" value "$1" whole
}
open_streams() { # STREAMCTL...
    "$@" --json stream list | grep -cE '"state" ?: ?"(open|suspended)"'
}
ids() {
    "$@" --json stream list | grep -oE '"id" ?: ?[0-9]+' | sort -u
}
kept() { # UNIT [--user]: descriptors in systemd's store
    if [[ ${2:-} == --user ]]; then unit show -P NFileDescriptorStore "$1"; else property "$1" NFileDescriptorStore; fi
}
logged() { # UNIT TEXT
    until_true journalctl -q -u "$1" -g "$2"
}

ssh-keygen -q -t ed25519 -N '' -f /root/host-key
runuser -u alice -- ssh-keygen -q -t ed25519 -N '' -f /home/alice/key
mkdir -p /run/sshd /root/.ssh
cp /home/alice/key.pub /etc/ssh/authorized
cat >/root/sshd_config <<'CONFIG'
ListenAddress 127.0.0.1:22
HostKey /root/host-key
AuthorizedKeysFile /etc/ssh/authorized
StrictModes no
UsePAM no
PidFile none
CONFIG
systemd-run -q --unit=test-sshd /usr/sbin/sshd -D -f /root/sshd_config
systemd-run -q --unit=test-echo python3 /test-lib/many.py echo 7007
start_hub
hub device add gw-1 >/dev/null
systemctl -q enable --now streamd
join_hub site device gw-1 streamctl --system >/dev/null
streamctl --system target add ssh tcp:127.0.0.1:22 >/dev/null
streamctl --system target add echo tcp:127.0.0.1:7007 >/dev/null
streamctl --system accept-policy add --stream ssh --accept ssh >/dev/null
streamctl --system accept-policy add --stream echo --accept echo >/dev/null
start_manager alice
unit -q enable --now streamd
join_hub site user service alice streamctl --user >/dev/null
until_true connected
ctl tunnel open gw-1 echo --background >/dev/null
port=$(tunnel_port)
flows one 1 "$port"
ok 'a stream is open' goes_on one
streams=$(ids streamctl --system)
ok 'the client has it' is 1 open_streams ctl

ok 'restart at the gateway' systemctl restart streamd
ok 'the stream goes on' goes_on one
ok 'under the same path' is "$streams" ids streamctl --system
ok 'systemd has let go of it' is 0 kept streamd
ok 'the record of the one that went' logged streamd '1 streams wait for the next streamd; none is cut'
ok 'the record of the one that came' logged streamd '1 streams of the former streamd go on; none is cut'
ok 'restart at the client' unit restart streamd
ok 'the stream goes on' goes_on one
ok 'its tunnel has it' says '"streams" : 1' ctl --json tunnel list
ok 'the tunnel listens where it did' is "$port" tunnel_port
ok 'systemd has let go of it' is 0 kept streamd --user
systemctl restart streamd &
ok 'both at once' unit restart streamd
wait $!
ok 'the stream goes on' goes_on one

cp /usr/bin/streamd /usr/bin/streamd.new
mv /usr/bin/streamd.new /usr/bin/streamd # as an upgrade does it
ok 'the program was replaced: doctor says so' says 'was replaced since' streamctl --system doctor
ok 'and so does status' says 'was replaced since' ctl status
systemctl restart streamd
unit restart streamd
ok 'after a restart nobody does' refused says 'was replaced since' ctl status
ok 'the stream goes on' goes_on one
ok 'it ends in order' ends one 1

from_within() {
    # shellcheck disable=SC2016 # the other side's
    alice timeout 30 ssh -q -i /home/alice/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o ProxyCommand='streamctl --user connect gw-1 ssh' root@gw-1 \
        'before=$(systemctl show -P MainPID streamd); systemctl restart streamd
         test "$before" != "$(systemctl show -P MainPID streamd)" && echo "it goes on"'
}
ok 'ssh restarts the streamd that carries it' is 'it goes on' from_within

holds() { # an app that has a descriptor notices nothing
    local line
    coproc app { alice timeout 30 streamctl --user connect gw-1 echo 2>/home/alice/connect.err; }
    echo before >&"${app[1]}"
    read -r -t 10 line <&"${app[0]}" && [[ $line == before ]] || { cat /home/alice/connect.err; return 1; }
    unit restart streamd
    echo after >&"${app[1]}"
    read -r -t 10 line <&"${app[0]}" && [[ $line == after ]] || { cat /home/alice/connect.err; return 1; }
    # shellcheck disable=SC2154 # coproc sets it
    kill "$app_PID"
}
ok 'a descriptor that an app has goes on at the client' holds

waits() { # a connection that comes while nobody serves the tunnel: systemd sends SIGCONT after SIGTERM
    unit kill -s STOP streamd
    # shellcheck disable=SC2016 # the inner shell's
    alice timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/"$0"; echo hello >&3; head -n 1 <&3' "$port" >/home/alice/said &
    until_true waiting
    unit restart streamd
    wait $!
    is hello cat /home/alice/said
}
waiting() {
    ss -Htn state established "dport = :$port" | grep -q .
}
ok 'a connection to the tunnel waits over the restart' waits

arrives() { # at whatever moment of a restart one connects: it is served
    # shellcheck disable=SC2016 # the inner shell's
    alice timeout 60 bash -c 'while [[ ! -e $1 ]]; do
        exec 3<>/dev/tcp/127.0.0.1/"$0" && echo hello >&3 && read -r -t 20 line <&3 && [[ $line == hello ]] || exit 1
        echo served; done' "$port" /home/alice/arrives.stop >/home/alice/arrives &
    for _ in 1 2 3; do unit restart streamd || return 1; done
    touch /home/alice/arrives.stop
    wait $! && says served cat /home/alice/arrives
}
ok 'whoever connects during restarts is served' arrives

flows many 100 "$port"
touch /home/alice/many.clear
ok '100 streams: restart at the gateway' systemctl restart streamd
ok '100 streams: they go on' goes_on many
ok '100 streams: restart at the client' unit restart streamd
ok '100 streams: they go on' goes_on many
echo "# the longest of 100 flows: $(value many slowest) ms"
ok '100 streams: a killed streamd loses them' systemctl kill -s KILL streamd
gone() {
    [[ $(value "$1" ended) -eq $2 ]]
}
# One that the killed streamd had just taken back waits at the hub for its leg, up to twenty seconds.
all_told() {
    until_true gone many 100 >/dev/null || until_true gone many 100 >/dev/null || until_true gone many 100
}
ok '100 streams: each is told' all_told
touch /home/alice/many.stop
until_true systemctl -q is-active streamd
until_true connected

flows stopped 2 "$port"
ok 'stop' systemctl stop streamd
ok 'the streams end' until_true gone stopped 2
ok 'because streamd stops' says 'stopping' ctl stream list --all
ok 'start' systemctl start streamd
until_true connected
touch /home/alice/stopped.stop

# A state that the successor cannot read: the former program wrote another version.
flows poisoned 2 "$port"
cat >/usr/bin/poison <<'P'
#!/bin/sh
exec python3 - <<'X'
import array, os, socket
fd = os.memfd_create("x", os.MFD_ALLOW_SEALING)
os.write(fd, os.urandom(4096))
import fcntl
fcntl.fcntl(fd, 1033, 15)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.connect(os.environ["NOTIFY_SOCKET"])
    for text in (b"FDSTOREREMOVE=1\nFDNAME=state",):
        s.send(text)
    s.sendmsg([b"FDSTORE=1\nFDPOLL=0\nFDNAME=state"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
X
P
chmod 755 /usr/bin/poison
drop_in streamd.service poison <<'UNIT'
[Service]
NotifyAccess=all
ExecStopPost=/usr/bin/poison
UNIT
systemctl restart streamd
ok 'a state that nobody can read: streamd runs' systemctl -q is-active streamd
ok 'the streams are cut' until_true gone poisoned 2
ok 'and a record says why' logged streamd 'The streams of the former streamd are cut: their state is'
ok 'it was started once' is 0 property streamd NRestarts
ok 'systemd has let go of all' is 0 kept streamd
touch /home/alice/poisoned.stop
plan

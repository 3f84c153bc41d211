# SPDX-License-Identifier: LGPL-2.1-or-later
# streamd of the system: activation, enable, restart, state, stop; and coming back.
. /test-lib/lib.sh

ping() {
    as "$1" busctl --system call io.streamd.Streamd1 /io/streamd/Streamd1 \
        org.freedesktop.DBus.Peer Ping
}
ok 'nobody has started it' is inactive systemctl is-active streamd
ok 'a call does not, while it is not enabled' refused ping alice
ok 'streamctl says so' fails 3 as alice streamctl --system status
ok 'and what helps' says 'systemctl enable --now streamd' as alice streamctl --system status
ok 'it is down' is inactive systemctl is-active streamd
ok 'enable' systemctl enable streamd
ok 'enabled' is enabled systemctl is-enabled streamd
ok 'now a first call starts it' ping alice
ok 'as the unit' is active systemctl is-active streamd
ok 'disable --now' systemctl disable --now streamd
stays_down() {
    local user
    for user in root alice bob; do
        ! ping $user 2>/dev/null || return 1
    done
    sleep 0.5
    is inactive systemctl is-active streamd
}
ok 'nobody starts a disabled one' stays_down
ok 'enable --now' systemctl enable --now streamd
ok 'a call reaches it' ping bob
first=$(property streamd MainPID)
ok 'as its own user' is streamd stat -c %U "/proc/$first"
ok 'no capability' grep -q '^CapBnd:[[:space:]]*0*$' "/proc/$first/status"
ok 'its state is its own' is 'streamd 700' stat -c '%U %a' /var/lib/streamd
ok 'root sets a target' streamctl --system target add ssh tcp:127.0.0.1:22
ok 'restart' systemctl restart streamd
ok 'another process' refused test "$first" = "$(property streamd MainPID)"
ok 'its state survived' says 'ssh.*tcp:127.0.0.1:22' streamctl --system target list
ok 'nobody else reads it' is '' find /var/lib/streamd -type f -perm /077
ok 'a second one does not start beside it' refused timeout 10 runuser -u streamd -- \
    streamd --state-dir /tmp/second
ok 'only streamd may have the name' refused timeout 10 streamd --state-dir /tmp/third

drop_in streamd.service quick <<'UNIT'
[Service]
WatchdogSec=600ms
RestartSec=10ms
UNIT
systemctl restart streamd
restarts_are() {
    [[ $(property streamd NRestarts) -ge $1 ]] && systemctl -q is-active streamd
}
kill -STOP "$(property streamd MainPID)"
ok 'stopped: it comes back' until_true restarts_are 1
ok 'because of the watchdog' until_true journalctl -q -u streamd -g 'Watchdog timeout'
for ((i = 2; i <= 8; i++)); do
    kill -KILL "$(property streamd MainPID)"
    until_true restarts_are $i >/dev/null
done
ok 'killed seven times in a row: it comes back' restarts_are 8
ok 'with its state' says ssh streamctl --system target list

ok 'stop' systemctl stop streamd
ok 'cleanly' is success property streamd Result
ok 'a call starts it again' ping bob
ok 'nothing failed' is '' systemctl list-units --failed --plain --no-legend
plan

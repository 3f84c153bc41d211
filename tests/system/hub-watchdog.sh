# SPDX-License-Identifier: LGPL-2.1-or-later
# streamhub that hangs or dies comes back, however often.
. /test-lib/lib.sh

streamhub init --state-dir /var/lib/streamhub --host-name hub.example --san DNS:localhost >/dev/null
drop_in streamhub.service quick <<'UNIT'
[Service]
WatchdogSec=1s
RestartSec=10ms
UNIT
ok 'start' systemctl start streamhub
restarts_are() {
    [[ $(property streamhub NRestarts) -ge $1 ]] && systemctl -q is-active streamhub
}
sleep 1.5
ok 'signs of life keep it' is 0 property streamhub NRestarts
kill -STOP "$(property streamhub MainPID)"
ok 'stopped: it comes back' until_true restarts_are 1
ok 'because of the watchdog' until_true journalctl -q -u streamhub -g 'Watchdog timeout'
for ((i = 2; i <= 8; i++)); do
    kill -KILL "$(property streamhub MainPID)"
    until_true restarts_are $i >/dev/null
done
ok 'killed seven times in a row: it comes back' restarts_are 8
systemctl kill -s TERM streamhub
ok 'told to go by somebody: it comes back' until_true restarts_are 9
ok 'unless it is stopped' systemctl stop streamhub.socket streamhub-mqtts.socket streamhub
ok 'then it stays down' is inactive systemctl is-active streamhub
plan

# SPDX-License-Identifier: LGPL-2.1-or-later
# streamd of a user: the user's own manager and bus; enable, activation, state, watchdog.
. /test-lib/lib.sh

usermod -aG systemd-journal alice # a volatile journal has no files of a user's own
loginctl enable-linger alice
ok 'a manager for alice' systemctl start user@2001

alice() {
    with_bus alice "$@"
}
unit() {
    alice systemctl --user "$@"
}
ok 'a first call starts it' alice streamctl --user target add ssh tcp:127.0.0.1:22
ok 'as the unit' is active unit is-active streamd
ok 'enable --now' unit enable --now streamd
ok 'enabled' is enabled unit is-enabled streamd
ok 'its log is found by its user' until_true says 'Target ssh was added: tcp:127.0.0.1:22, by alice \(UID 2001\)' \
    alice streamctl --user logs --changes
first=$(unit show -P MainPID streamd)
ok 'it is the user' is alice stat -c %U "/proc/$first"
ok 'restart' unit restart streamd
ok 'another process' refused test "$first" = "$(unit show -P MainPID streamd)"
ok 'its state survived' says 'ssh.*tcp:127.0.0.1:22' alice streamctl --user target list
ok 'in a place of its own' is 700 stat -c %a /home/alice/.local/state/streamd
ok 'that nobody else reads' is '' find /home/alice/.local/state/streamd -type f -perm /077
ok 'bob is not let in' refused as bob DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/2001/bus \
    streamctl --user status

mkdir -p /etc/systemd/user/streamd.service.d
printf '[Service]\nWatchdogSec=600ms\nRestartSec=10ms\n' >/etc/systemd/user/streamd.service.d/quick.conf
unit daemon-reload
unit restart streamd
kill -STOP "$(unit show -P MainPID streamd)"
came_back() {
    [[ $(unit show -P NRestarts streamd) -ge 1 ]] && unit -q is-active streamd
}
ok 'stopped: it comes back' until_true came_back
ok 'and answers' says ssh alice streamctl --user target list
ok 'stop' unit stop streamd
ok 'cleanly' is success unit show -P Result streamd
plan

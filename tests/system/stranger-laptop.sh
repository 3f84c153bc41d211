# SPDX-License-Identifier: LGPL-2.1-or-later
# The laptop of the stranger, who is called ada and is logged in. This is the test.
. /test-lib/stranger.sh

loginctl enable-linger ada
systemctl start user@2004
ada() {
    as ada XDG_RUNTIME_DIR=/run/user/2004 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/2004/bus "$@"
}
# typed FILE: on a terminal, with ada's answers to what ssh asks.
typed() {
    ada python3 /test-lib/typist.py 'open sesame' "$1" </dev/null
}
ok 'nothing of it is here' refused command -v streamctl
ok 'the hub is made' wait_for hub 380
ok 'the gateway is set up' wait_for gateway 60
steps laptop 00 99
install -o ada -g ada -m 600 /shared/carried/alice.invite /home/ada/
ok 'the gateway cannot be reached from here' refused timeout 2 bash -c 'exec 3<>/dev/tcp/10.9.0.2/22'
for step in /shared/steps/*-laptop-user; do
    ok "laptop, as ada: $(paste -sd ';' "$step")" says 'load average' typed "$step"
done
echo 'ssh gw-1.device hostname; streamctl --json stream list' >/tmp/again
ok 'the second time the key is known, and it is the gateway' says $'password: \r\ngateway\r' typed /tmp/again
ok 'no command was left out' is 6 eval 'ls /shared/steps | wc -l'
if [[ -d /shared/packages ]]; then
    done_with ssh
    packages_of_the_laptop
    plan
fi

# An update, over what an administrator has changed.
conf=/etc/streamd/streamhub.conf link=/etc/ssh/ssh_config.d/20-streamd.conf
echo 'penalty = 7' >>$conf
rm $link
in_folder /root/streamd ./install --no-packages >/tmp/installed 2>&1
ok 'installed again: it says what it kept' says "Kept: $conf as it was changed here" cat /tmp/installed
ok 'the file is as it was' says 'penalty = 7' cat $conf
ok 'the link stays removed' refused test -L $link
plan

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
# Bob is the second one here, and does with the mouse what the README says.
step() {
    grep -q "^$1" /home/bob/steps || { cat /home/bob/steps /home/bob/errors; return 1; }
}
if [[ -d /shared/desktop ]]; then
    cp -r /shared/desktop/usr /
    install -o bob -g bob -m 600 /shared/carried/bob.invite /home/bob/
    began=$EPOCHREALTIME
    start_manager bob
    with_bus bob PYTHONDONTWRITEBYTECODE=1 timeout 90 /usr/bin/python3 /test-lib/stranger-desktop.py /home/bob/bob.invite \
        >/home/bob/steps 2>/home/bob/errors </dev/null
    ok 'laptop, as bob, with the mouse: the hub is joined by the invitation' step joined
    ok 'the gateway is among the devices, and connected' step seen
    ok 'its terminal is a shell on the gateway' step gateway
    ok 'all was well' step 'done'
    awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "# with the mouse: %.1f s\n", b - a }'
fi
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

# SPDX-License-Identifier: LGPL-2.1-or-later
# A kiosk: who sits at the screen lets streams in, with examples/polkit/kiosk.rules, and may do
# nothing else with the machine's streamd; nobody is asked for a password there. Whoever sits there in
# the end may do it, and not who sat there before.
. /test-lib/lib.sh

exec 3>&1 >/dev/null 2>&1
useradd -m -s /bin/sh kiosk
mkdir -p /etc/polkit-1/rules.d
cp /usr/share/doc/streamd/examples/polkit/kiosk.rules /etc/polkit-1/rules.d/50-kiosk.rules
start_hub
systemctl start streamd
hub device add kiosk-1
join_hub office device kiosk-1 streamctl --system
join_hub ops user service streamctl --system
start_echo
streamctl --system target add screen tcp:127.0.0.1:7007
streamctl --system accept-policy add --stream screen --ask=screen
until_true says Connected hub device show kiosk-1
exec >&3 2>&1

# What support does from afar; root is the same hub's user here.
knock() {
    echo hello | timeout 30 streamctl --system connect kiosk-1 screen --timeout 20 >/root/"$1" 2>/root/"$1".error
}
ok 'nobody sits there, so nobody lets it in' fails 12 knock none

session kiosk seat0
ok 'kiosk sits at the screen' until_true is active state_of kiosk
mkfifo -m 666 /home/kiosk/answers
in_session kiosk "streamctl --system agent <>/home/kiosk/answers >/home/kiosk/agent 2>&1 & echo \$! >/home/kiosk/pid"
ok 'its agent waits' until_true grep -q 'Waiting for streams' /home/kiosk/agent
knock first &
first=$!
ok 'it is asked' until_true grep -q 'asks at the hub office for the stream screen' /home/kiosk/agent
echo y >/home/kiosk/answers
wait $first
ok 'and lets it in' is hello cat /root/first

# Everything else is refused, also where somebody could type a password.
on_screen() {
    rm -f /root/terminal
    timeout 15 script -qefc "systemd-run -q --pty --wait --collect -p User=kiosk -p PAMName=login -E XDG_SEAT=seat0 \
        -E TERM=dumb -- $*" /root/terminal
}
may_not() {
    on_screen streamctl --system "$@"
    [[ $? -eq 5 ]] && ! grep -q 'AUTHENTICATING\|assword' /root/terminal && grep -q 'polkit does not allow this' /root/terminal ||
        { cat /root/terminal; return 1; }
}
ok 'it adds no target' may_not target add shell tcp:127.0.0.1:22
ok 'nor a rule' may_not accept-policy add --accept screen
ok 'nor sees those of others' may_not stream list --all
ok 'nor opens a tunnel' may_not tunnel open kiosk-1 screen
ok 'nor leaves the hub' may_not hub disconnect office
ok 'and is told who may' grep -q 'examples/polkit/manage-hubs.rules' /root/terminal
ok 'nothing has changed' refused says 'shell|shown' streamctl --system target list
ok 'what everybody may read it reads' says 'office.*connected' in_session kiosk streamctl --system hub list

ok 'from afar it answers nothing' fails 5 as kiosk streamctl --system request list
knock second &
second=$!
ok 'asked again' until_true grep -qz 'asks at the hub.*asks at the hub' /home/kiosk/agent
session bob seat0
ok 'bob takes the seat' until_true is online state_of kiosk
ok 'now kiosk is in the background, and may not' fails 5 in_session kiosk streamctl --system request accept 2
ok 'bob, who sits there, may' in_session bob streamctl --system request reject 2 busy
wait $second
ok 'support reads why' grep -q busy /root/second.error
exec 2>/dev/null
kill -INT "$(cat /home/kiosk/pid)"
plan

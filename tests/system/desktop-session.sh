# SPDX-License-Identifier: LGPL-2.1-or-later
# Alice sits at the machine, and has the desktop app on her screen: it finds the system's streamd, asks
# her about streams, opens a tunnel where polkit lets her, and says so where it does not.
. /test-lib/lib.sh

# What is made ready says nothing; the cases do.
exec 3>&1 >/dev/null 2>&1
polkit_allows '/\.open-(stream|tunnel)$/.test(action.id) && subject.user == "alice" && subject.active'
start_hub
systemctl start streamd
hub device add gw-1
join_hub office device gw-1 streamctl --system
join_hub ops user service streamctl --system
start_echo
streamctl --system target add echo tcp:127.0.0.1:7007
streamctl --system accept-policy add --stream echo --accept echo
streamctl --system accept-policy add --stream door --ask=echo
until_true says Connected hub device show gw-1
exec >&3 2>&1

# A session on the seat: who is in it sits at the machine.
systemd-run -q --collect -p User=alice -p PAMName=login -E XDG_SEAT=seat0 -E PYTHONDONTWRITEBYTECODE=1 -- \
    sh -c '/usr/bin/python3 /test-lib/desktop-session.py >/home/alice/steps 2>/home/alice/errors; echo $? >/home/alice/status'
# step WORD: until the app has got there; some steps are work.
step() {
    until_true grep -q "^$1" /home/alice/steps || until_true grep -q "^$1" /home/alice/steps ||
        until_true grep -q "^$1" /home/alice/steps || { cat /home/alice/errors /home/alice/screen/*.log; return 1; }
}
# Somebody wants to come in, by root's own streamctl.
knock() {
    echo hello | timeout 30 streamctl --system connect --hub ops gw-1 door >/root/"$1" 2>/root/"$1".error
}

ok "the app finds the system's streamd and may ask alice" step ready
knock first
ok 'it asks her, and she allows' step allowed
ok 'the stream came in' is hello cat /root/first
ok 'and the journal knows who let it' says 'UID 2001. has decided on door' journalctl -u streamd --no-pager
knock second
ok 'it asks again, and she denies' step denied
ok 'her text arrives' grep -q 'not before noon' /root/second.error
ok 'a tunnel opens, and bytes pass through it' step tunnel
ok 'it closes' step closed
ok '100 MB went both ways through a descriptor, compared' step 'transfer: 100.0 MB'
ok 'what polkit does not allow is told' step forbidden
ok 'so far all is well' step 'restart me'
systemctl stop streamd
ok 'it says that streamd has gone' step gone
systemctl start streamd
ok 'it follows when streamd is back' step back
until_true says Connected hub device show gw-1
knock third
ok 'and asks as before' step 'allowed again'
ok 'all was well' step 'done'
grep -h '^transfer\|^forbidden' /home/alice/steps | sed 's/^/# /'
plan

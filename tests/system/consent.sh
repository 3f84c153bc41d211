# SPDX-License-Identifier: LGPL-2.1-or-later
# A stream to the system's streamd is let in by a person: by alice, who sits at the machine, through
# an agent in her session. Bob, whose session is in the background or comes from afar, may not.
. /test-lib/lib.sh

# What is made ready says nothing; the cases do.
exec 3>&1 >/dev/null 2>&1
start_hub
systemctl start streamd
hub device add gw-1
join_hub office device gw-1 streamctl --system
start_echo
streamctl --system target add echo tcp:127.0.0.1:7007
streamctl --system accept-policy add --stream door --ask=echo

# Olga asks from elsewhere, through a streamd of her own.
start_manager olga
olga() {
    with_bus olga timeout 30 streamctl --user "$@"
}
join_hub office user service olga
until_true says Connected hub device show gw-1
exec >&3 2>&1

# Goes through olga's streamd, and back.
knock() {
    echo hello | olga connect gw-1 door --timeout 30 >/root/"$1" 2>/root/"$1".error
}

ok 'without an agent nobody waits' fails 12 olga connect gw-1 door
ok 'and olga reads why' says 'no agent on the device can be asked' olga connect gw-1 door

# On a seat without a screen the session that came last is the active one.
session bob seat0
ok 'bob sits at the machine' until_true is active state_of bob
session alice seat0
ok 'now alice does' until_true is active state_of alice
ok 'and bob is in the background' is online state_of bob
mkfifo -m 666 /home/alice/answers
in_session alice "streamctl --system agent <>/home/alice/answers >/home/alice/agent 2>&1 & echo \$! >/home/alice/pid"
ok "alice's agent waits" until_true grep -q 'Waiting for streams' /home/alice/agent
knock first &
first=$!
ok 'it asks her' until_true grep -q 'service .*asks at the hub office for the stream door' /home/alice/agent

ok 'bob in the background is no agent' fails 5 in_session bob streamctl --system agent
ok 'he is not told what waits' fails 5 in_session bob streamctl --system request list
ok 'he cannot let it in' fails 5 in_session bob streamctl --system request accept 1
ok 'nor turn it away' fails 5 in_session bob streamctl --system request reject 1
bus() {
    in_session bob busctl --system call io.streamd.Streamd1 "$@"
}
request=/io/streamd/Streamd1/request/1
ok 'nor over the bus' refused bus $request io.streamd.Streamd1.Request AcceptTo s "''"
ok 'nor take it himself' refused bus $request io.streamd.Streamd1.Request Accept 'a{sv}' 0
ok 'nor read it' refused bus $request org.freedesktop.DBus.Properties GetAll s io.streamd.Streamd1.Request
ok 'it is not among what he sees' refused says "$request" \
    bus /io/streamd/Streamd1 org.freedesktop.DBus.ObjectManager GetManagedObjects
ok 'nor from afar' fails 5 as bob streamctl --system request accept 1
ok 'nor can alice from afar' fails 5 as alice streamctl --system request accept 1
ok 'where she sits she sees it' says 'door .*service' in_session alice streamctl --system request list
ok 'so does root' says 'door' streamctl --system request list

echo y >/home/alice/answers
wait $first
ok 'she lets it in' is hello cat /root/first
ok 'and the journal knows who' says 'UID 2001. has decided on door' journalctl -u streamd --no-pager

knock second &
second=$!
ok 'it asks again' until_true grep -qz 'asks at the hub.*asks at the hub' /home/alice/agent
echo n >/home/alice/answers
wait $second
ok 'she turns it away' grep -q 'rejected the stream' /root/second.error

knock third &
third=$!
ok 'and again' until_true grep -qz 'turned away.*asks at the hub' /home/alice/agent
ok 'root answers first' until_true streamctl --system request reject 3 'come back tomorrow'
wait $third
ok 'olga reads the text' grep -q 'come back tomorrow' /root/third.error
ok 'alice is told' until_true grep -q 'Somebody else has answered' /home/alice/agent

kill -INT "$(cat /home/alice/pid)"
ok 'when her agent has gone nobody waits' until_true says 'no agent on the device can be asked' \
    olga connect gw-1 door
exec 2>/dev/null
wait
plan

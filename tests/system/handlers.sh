# SPDX-License-Identifier: LGPL-2.1-or-later
# Alice and bob each run an app that takes streams of the system's streamd. A rule says whose app a
# stream is for; the other user gets nothing of it, and learns nothing: what goes over his connections
# to the bus is kept, raw and in both directions, and searched.
. /test-lib/lib.sh

# What is made ready says nothing; the cases do.
exec 3>&1 >/dev/null 2>&1
polkit_allows '/\.handle-streams$/.test(action.id) && /^(alice|bob)$/.test(subject.user)'
start_hub
systemctl start streamd
hub device add gw-1
join_hub office device gw-1 streamctl --system
# Both handlers have one name; the rules say whose is meant.
streamctl --system accept-policy add --stream alices-stream --handler echo --handler-user alice
streamctl --system accept-policy add --stream bobs-stream --handler echo --handler-user bob

# Olga asks from elsewhere, through a streamd of her own.
start_manager olga
olga() {
    with_bus olga timeout 30 streamctl --user "$@"
}
join_hub office user service olga
until_true says Connected hub device show gw-1
exec >&3 2>&1

handler() {
    as "$1" /usr/bin/python3 /test-lib/echo-handler.py --system echo >"/home/$1/handler" 2>&1 &
}
tap alice
tap bob
ok 'olga is no one to handle streams' fails 1 as olga /usr/bin/python3 /test-lib/echo-handler.py \
    --system echo
handler bob
ok "bob's app is there" until_true grep -q registered /home/bob/handler
knock() {
    is "hello $1" bash -c "echo hello $1 | olga connect gw-1 $1s-stream"
}
export -f olga with_bus as
ok 'his stream comes to him' knock bob
ok "alice's does not: hers is not there" fails 12 olga connect gw-1 alices-stream
ok 'and olga reads why' says 'not running' olga connect gw-1 alices-stream
ok 'he was asked once' is 1 grep -c opened /home/bob/handler
handler alice
ok "alice's app is there, of the same name" until_true grep -q registered /home/alice/handler
ok 'her stream comes to her' knock alice
ok 'and his to him still' knock bob
ok 'she got one' is 1 grep -c opened /home/alice/handler
ok 'he got two' is 2 grep -c opened /home/bob/handler

# While another of hers is open, bob asks for everything that there could be.
mkfifo /root/held
olga connect gw-1 alices-stream </root/held >/root/said 2>&1 &
held=$!
exec 4>/root/held
echo kept >&4
ok 'one of hers is open' until_true grep -q kept /root/said
owned() {
    streamctl --system --json stream list | tr -d ' \n' | grep -o '"stream_name":"'"$1"'"[^}]*"owner_uid":[0-9]*' |
        grep -o '[0-9]*$' | tail -n 1
}
ok 'it belongs to her' is 2001 owned alices-stream
ok 'and his to him' is 2002 owned bobs-stream
ok 'she sees it' says alices-stream tapped alice streamctl --system stream list
ok 'he sees his' says bobs-stream tapped bob streamctl --system stream list
root=/io/streamd/Streamd1
{
    call bob $root org.freedesktop.DBus.ObjectManager GetManagedObjects
    for path in $root/stream $root/stream/{1,2,3,4,5,6,7,8} $root/request/1; do
        call bob $path org.freedesktop.DBus.Introspectable Introspect
        call bob $path org.freedesktop.DBus.Properties GetAll s ''
        call bob $path org.freedesktop.DBus.Properties GetAll s io.streamd.Streamd1.Stream
        call bob $path org.freedesktop.DBus.Properties Get ss io.streamd.Streamd1.Stream StreamName
    done
} >/dev/null 2>&1
number() {
    sed -n 's|.*/stream/\([0-9]*\): opened.*|\1|p' /home/alice/handler | tail -n 1
}
ok 'he cannot close it' refused call bob "$root/stream/$(number)" io.streamd.Streamd1.Stream Close
echo still >&4
ok 'it is still there' until_true grep -q still /root/said
ok 'she can' call alice "$root/stream/$(number)" io.streamd.Streamd1.Stream Close
exec 4>&-
wait $held
ok "alice's own traffic has her stream" grep -aq alices-stream /home/alice/traffic
ok "bob's has his" grep -aq bobs-stream /home/bob/traffic
ok 'but not hers' refused grep -aq alices-stream /home/bob/traffic
ok 'nor has a signal its path' refused grep -q "stream/$(number)" /home/bob/gdbus
ok 'nor does his monitor' refused grep -q alices /home/bob/monitor
exec 2>/dev/null # of what ends now
pkill -KILL -u alice,bob
kill $(jobs -p)
wait
plan

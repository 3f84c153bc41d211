# SPDX-License-Identifier: LGPL-2.1-or-later
# Alice and bob each run an app that takes streams of the system's streamd. A rule says whose app a
# stream is for; the other user gets nothing of it, and learns nothing: what goes over his connections
# to the bus is kept, raw and in both directions, and searched.
. /test-lib/lib.sh

# What is made ready says nothing; the cases do.
exec 3>&1 >/dev/null 2>&1
mkdir -p /etc/polkit-1/rules.d
cat >/etc/polkit-1/rules.d/50-both.rules <<'RULE'
polkit.addRule(function(action, subject) {
    if (/\.handle-streams$/.test(action.id) && /^(alice|bob)$/.test(subject.user))
        return polkit.Result.YES;
});
RULE
streamhub init --state-dir /var/lib/streamhub --host-name localhost
systemctl start streamhub
install -D -m 644 /var/lib/streamhub/ca.pem /etc/streamd/ca.pem
hub() {
    streamhub --state-dir /var/lib/streamhub "$@"
}
hub device add gw-1
hub connection-string device gw-1 | streamctl --system hub add office \
    --connection-string-file - --ca /etc/streamd/ca.pem
# Both handlers have one name; the rules say whose is meant.
streamctl --system accept-policy add --stream alices-stream --handler echo --handler-user alice
streamctl --system accept-policy add --stream bobs-stream --handler echo --handler-user bob

# Olga asks from elsewhere, through a streamd of her own.
loginctl enable-linger olga
systemctl start user@2003
olga() {
    as olga XDG_RUNTIME_DIR=/run/user/2003 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/2003/bus \
        timeout 30 streamctl --user "$@"
}
hub connection-string policy service |
    olga hub add office --connection-string-file - --ca /etc/streamd/ca.pem
connected() {
    hub device show gw-1 | grep -q 'Connected'
}
until_true connected
exec >&3 2>&1

handler() {
    as "$1" /usr/bin/python3 /test-lib/echo-handler.py --system echo >"/home/$1/handler" 2>&1 &
}
# user NAME COMMAND...: over that user's tap.
user() {
    local name=$1
    shift
    as "$name" DBUS_SYSTEM_BUS_ADDRESS="unix:path=/home/$name/bus" timeout 20 "$@"
}
call() {
    user "$1" busctl --system call io.streamd.Streamd1 "${@:2}"
}
for name in alice bob; do
    runuser -u $name -- /usr/bin/python3 /test-lib/bus-tap.py /home/$name/bus /home/$name/traffic >/dev/null 2>&1 &
    until_true test -S /home/$name/bus
    user $name gdbus monitor --system --dest io.streamd.Streamd1 >/home/$name/gdbus 2>&1 &
    user $name streamctl --system monitor >/home/$name/monitor 2>&1 &
done
ok 'olga is no one to handle streams' fails 1 as olga /usr/bin/python3 /test-lib/echo-handler.py \
    --system echo
handler bob
ok "bob's app is there" until_true grep -q registered /home/bob/handler
knock() {
    is "hello $1" bash -c "echo hello $1 | olga connect gw-1 $1s-stream"
}
export -f olga as
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
ok 'she sees it' says alices-stream user alice streamctl --system stream list
ok 'he sees his' says bobs-stream user bob streamctl --system stream list
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

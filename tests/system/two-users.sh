# SPDX-License-Identifier: LGPL-2.1-or-later
# Alice and bob share the system's streamd. What goes over bob's connections to the bus is kept, raw
# and in both directions, and searched for what alice does; her own is searched too, to see that the
# search finds something.
. /test-lib/lib.sh

# What is made ready says nothing; the cases do.
exec 3>&1 >/dev/null 2>&1
polkit_allows '/\.open-(stream|tunnel)$/.test(action.id) && /^(alice|bob)$/.test(subject.user)'
start_hub
systemctl start streamd
join_hub ops user service streamctl --system

# The devices are olga's, in a streamd of her own.
start_manager olga
olga() {
    with_bus olga streamctl --user "$@"
}
for device in alices-pump bobs-pump; do
    hub device add $device
    join_hub $device device $device olga
done
start_echo
olga target add echo tcp:127.0.0.1:7007
olga accept-policy add --accept echo
exec >&3 2>&1

tap alice
tap bob
until_true grep -q io.streamd.Streamd1 /home/bob/traffic
opened() {
    tapped "$1" streamctl --system tunnel open --hub ops "$1s-pump" "$1s-stream" \
        --background --wait=10 >"/home/$1/tunnel" 2>&1
}
ok 'alice opens a tunnel' opened alice
ok 'bob opens one' opened bob
port_of() {
    sed -n 's/.*tcp:127.0.0.1:\([0-9]*\).*/\1/p' "/home/$1/tunnel"
}
echoes() {
    is hello as "$1" timeout 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$2; echo hello >&3; head -n 1 <&3"
}
ok 'alice uses hers' echoes alice "$(port_of alice)"
ok 'bob uses his' echoes bob "$(port_of bob)"
ok "bob has no use of alice's" refused echoes bob "$(port_of alice)"

list() {
    tapped "$1" streamctl --system --json "$2" list
}
ok 'alice sees her tunnel' says alices-pump list alice tunnel
ok 'bob sees his' says bobs-pump list bob tunnel
ok 'alice sees her streams' says alices-pump list alice stream
ok 'bob sees his streams' says bobs-pump list bob stream

# Bob asks for everything that there could be.
root=/io/streamd/Streamd1
call bob $root org.freedesktop.DBus.ObjectManager GetManagedObjects >/dev/null 2>&1
for kind in tunnel stream request; do
    for path in $root/$kind $root/$kind/{1,2,3,4}; do
        call bob $path org.freedesktop.DBus.Introspectable Introspect >/dev/null 2>&1
        call bob $path org.freedesktop.DBus.Properties GetAll s '' >/dev/null 2>&1
        call bob $path org.freedesktop.DBus.Properties GetAll s \
            io.streamd.Streamd1.${kind^} >/dev/null 2>&1
        call bob $path org.freedesktop.DBus.Properties Get ss \
            io.streamd.Streamd1.${kind^} DeviceId >/dev/null 2>&1
    done
done
call bob $root org.freedesktop.DBus.Properties GetAll s io.streamd.Streamd1.Manager >/dev/null 2>&1
count() {
    tapped "$1" busctl --system get-property io.streamd.Streamd1 $root io.streamd.Streamd1.Manager "$2"
}
ok 'bob counts his own only' is 'u 1' count bob Tunnels
hub_count() {
    as "$1" busctl --system get-property io.streamd.Streamd1 $root/hub/ops io.streamd.Streamd1.Hub "$2"
}
ok 'bob counts his own on the hub' is 't 1' hub_count bob StreamsOpened
ok 'and so does alice' is 't 1' hub_count alice StreamsOpened
ok 'root counts both' is 't 2' hub_count root StreamsOpened
ok 'there are two' is 'u 2' busctl --system get-property io.streamd.Streamd1 $root \
    io.streamd.Streamd1.Manager Tunnels
ok 'root sees both, hers first' says '"id" : 1,.*alices-pump.*bobs-pump' \
    streamctl --system --json tunnel list
hers=1
ok 'bob cannot close it' refused tapped bob streamctl --system tunnel close "$hers"
ok 'nor over the bus' refused call bob "$root/tunnel/$hers" io.streamd.Streamd1.Tunnel Close
ok 'it is still there' echoes alice "$(port_of alice)"

ok "alice's own traffic has her names" grep -q 'alices-stream' /home/alice/traffic
ok "bob's has his" grep -q 'bobs-stream' /home/bob/traffic
ok "but not her device's" refused grep -aq alices-pump /home/bob/traffic
ok 'nor her stream' refused grep -aq 'alices-stream' /home/bob/traffic
ok 'nor the path of her tunnel in a signal' refused grep -q "tunnel/$hers" /home/bob/gdbus
ok 'nor does his monitor' refused grep -q alices /home/bob/monitor
exec 2>/dev/null # of what ends now
kill $(jobs -p)
wait
plan

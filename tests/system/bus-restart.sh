# SPDX-License-Identifier: LGPL-2.1-or-later
# The bus of the system is started again under streamd (fault F29): a stream and the links to the hub
# go on, the name is back, and streamctl works again, for users whom polkit is asked about as well.
. /test-lib/lib.sh

# What is made ready says nothing; the cases do.
exec 3>&1 >/dev/null 2>&1
polkit_allows '/\.open-(stream|tunnel)$/.test(action.id) && subject.user == "alice"'
start_hub
systemctl start streamd
hub device add gw-1
join_hub office device gw-1 streamctl --system
join_hub ops user service streamctl --system
start_echo
streamctl --system target add echo tcp:127.0.0.1:7007
streamctl --system accept-policy add --accept echo
until_true says Connected hub device show gw-1
exec >&3 2>&1

opened() {
    as alice timeout 20 streamctl --system tunnel open --hub ops gw-1 echo --background --wait=10 \
        >/home/alice/tunnel 2>&1
}
port() {
    sed -n 's/.*tcp:127.0.0.1:\([0-9]*\).*/\1/p' /home/alice/tunnel
}
pieces() {
    local count
    read -r count 2>/dev/null </home/alice/flow && echo "$count"
}
more_than() {
    [[ $(pieces) -gt $1 ]]
}
ok 'alice opens a tunnel' opened
as alice /usr/bin/python3 /test-lib/flow.py "$(port)" /home/alice/flow >/home/alice/flow.log 2>&1 &
flow=$!
ok 'bytes go through it' until_true more_than 10
pid=$(property streamd MainPID)
bus=$(property dbus MainPID)
cursor=$(journalctl -q -n 0 --show-cursor | sed -n 's/^-- cursor: //p')

named() {
    is 'b true' busctl --system call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus \
        NameHasOwner s io.streamd.Streamd1
}
# again NUMBER: all of it, once more.
again() {
    local before took
    bus=$(property dbus MainPID)
    before=$(pieces)
    ok "restart $1" timeout 20 systemctl restart dbus
    took=${EPOCHREALTIME/./}
    ok 'it is another bus' refused test "$bus" = "$(property dbus MainPID)"
    ok 'the name is back' until_true named
    took=$((${EPOCHREALTIME/./} - took))
    echo "# measured: the name is back after $((took / 1000)) ms"
    ok 'within 5 s' test "$took" -lt 5000000
    ok 'bytes went on' until_true more_than "$((before + 10))"
    ok 'it is the same streamd' is "$pid" property streamd MainPID
    ok 'root uses it' says 'gw-1' streamctl --system hub list
    ok 'alice sees her tunnel' says 'gw-1' as alice timeout 20 streamctl --system tunnel list
}
again 1
again 2
ok 'polkit is asked again: alice opens another' opened
ok 'and bob may not' refused as bob timeout 20 streamctl --system tunnel open --hub ops gw-1 echo \
    --background
echoes() {
    is hello as alice timeout 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$(port); echo hello >&3; head -n 1 <&3"
}
ok 'it is used' until_true echoes
touch /home/alice/flow.stop
wait "$flow"
ok 'byte for byte' is 0 echo $?
echo "# measured: $(pieces) pieces of 64 KiB"
ok 'the hub sees its device' says Connected hub device show gw-1
said() {
    journalctl -q -u streamd --after-cursor "$cursor" -g "$1"
}
ok 'streamd has said that the bus was lost' said 'the connection to the bus is lost'
ok 'and that it is there again' said 'Owns the name on the bus again'
ok 'but nothing of its hubs' refused said '^Hub .* is not connected'
ok 'nothing failed' is '' systemctl list-units --failed --plain --no-legend
plan

# SPDX-License-Identifier: LGPL-2.1-or-later
# Two users, each with 50 streams of apps and 50 tunnels at once, which is all that they may have: all
# of them carry bytes at the same time. What goes past it is refused, and only to the one it is.
. /test-lib/lib.sh

exec 3>&1 >/dev/null 2>&1
polkit_allows '/\.open-(stream|tunnel)$/.test(action.id) && /^(alice|bob)$/.test(subject.user)'
start_hub
hub connection-string user service --output /etc/streamd/service.cs
chown streamd /etc/streamd/service.cs
cat >/etc/streamd/streamd.conf <<'CONF'
[hub office]
ConnectionStringFile=/etc/streamd/service.cs
CaFile=/etc/streamd/ca.pem
[limits]
StreamsPerUser=100
ListenersPerUser=50
CONF
systemctl start streamd

# The device is olga's, in a streamd of her own.
start_manager olga
olga() {
    with_bus olga streamctl --user "$@"
}
hub device add pump
join_hub office device pump olga
systemd-run -q -p User=olga /usr/bin/python3 /test-lib/many.py echo 7007
until_true bash -c ': </dev/tcp/127.0.0.1/7007'
olga target add echo tcp:127.0.0.1:7007
olga accept-policy add --stream echo --accept echo
until_true says 'true|connected' hub device show pump --json
exec >&3 2>&1

for name in alice bob; do
    mkfifo -m 666 /home/$name/go
    as $name /usr/bin/python3 /test-lib/many.py use pump echo 50 \
        </home/$name/go >/home/$name/said 2>&1 &
done
exec 4>/home/alice/go 5>/home/bob/go
said() {
    grep -qx "$2" "/home/$1/said" || { cat "/home/$1/said"; return 1; }
}
count() {
    as "$1" busctl --system get-property io.streamd.Streamd1 /io/streamd/Streamd1 \
        io.streamd.Streamd1.Manager "$2"
}
ok 'alice opens 50 streams and 50 tunnels' until_true said alice open
ok 'so does bob' until_true said bob open
ok 'alice has 100 streams' is 'u 100' count alice Streams
ok 'and 50 tunnels' is 'u 50' count alice Tunnels
ok 'there are 200 streams' is 'u 200' count root Streams
echo go >&4
echo go >&5
ok 'all of hers carry bytes at the same time' until_true said alice '100 of 100 came back'
ok 'and all of his' until_true said bob '100 of 100 came back'

# Past it.
connect() {
    echo hello | as "$1" timeout 20 streamctl --system connect pump echo
}
streams='user 2001 has 100 streams already, which is the limit \(StreamsPerUser\)'
tunnels='user 2001 has 50 tunnels already, which is the limit \(ListenersPerUser\)'
ok 'a stream more is exit code 7' fails 7 connect alice
ok 'and says which limit' says "$streams" connect alice
ok 'a tunnel more is too' fails 7 as alice streamctl --system tunnel open --background pump echo
ok 'and says which' says "$tunnels" as alice streamctl --system tunnel open --background pump echo
# error_of METHOD SIGNATURE ARGUMENTS...: the name of the error, which busctl does not print.
error_of() {
    as alice gdbus call --system --dest io.streamd.Streamd1 --object-path /io/streamd/Streamd1 \
        --method io.streamd.Streamd1.Manager."$@"
}
ok 'on the bus it is LimitReached' says "io.streamd.Streamd1.Error.LimitReached: $streams" \
    error_of OpenStream '' pump echo '{}'
ok 'of both' says "io.streamd.Streamd1.Error.LimitReached: $tunnels" \
    error_of OpenTunnel '' pump echo '' '{}'
ok "bob's go on" is 'u 100' count bob Streams
echo over >&5
ok 'when his have ended' until_true is 'u 0' count bob Streams
ok 'hers are there' is 'u 100' count alice Streams
ok 'and he opens others while she cannot' is hello connect bob
ok 'which she still cannot' fails 7 connect alice
echo over >&4
ok 'until hers have ended' until_true is 'u 0' count alice Streams
ok 'then she opens one' is hello connect alice
exec 4>&- 5>&-
wait
plan

# SPDX-License-Identifier: LGPL-2.1-or-later
# One streamd for alice, who may open streams and tunnels, bob, who may nothing, olga, who helps both
# and sees all, and ada, who administers it: who sees and may do what, what each is told that would
# help, and what the question for ada's password names.
. /test-lib/lib.sh

examples=/usr/share/doc/streamd/examples/polkit
exec 3>&1 >/dev/null 2>&1
for group in stream-users tunnel-users support; do groupadd --system $group; done
usermod -aG stream-users,tunnel-users alice
usermod -aG support olga
mkdir -p /etc/polkit-1/rules.d
for rule in open-streams open-tunnels see-streams; do
    cp $examples/$rule.rules /etc/polkit-1/rules.d/50-streamd-$rule.rules
done
start_hub
systemctl start streamd
hub device add pump-1
hub device add pump-2
join_hub office device pump-1 streamctl --system
join_hub ops user service streamctl --system
start_echo
streamctl --system target add echo tcp:127.0.0.1:7007
streamctl --system accept-policy add --stream echo --accept echo
until_true says Connected hub device show pump-1
exec >&3 2>&1 3>&-

ctl() { # USER VERB...
    as "$1" timeout 15 streamctl --system "${@:2}"
}
apart() { # USER VERB...: what is data, then what is said beside it
    ctl "$@" >/root/data 2>/root/beside
    sed 's/^/data: /' /root/data
    sed 's/^/beside: /' /root/beside
}
opened() {
    ctl alice tunnel open --hub ops pump-1 echo --background --wait=10 >/home/alice/tunnel 2>&1
}
ok 'alice opens a tunnel' opened
port=$(sed -n 's/.*tcp:127.0.0.1:\([0-9]*\).*/\1/p' /home/alice/tunnel)
as alice bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; echo hello >&3; head -n 1 <&3 >/home/alice/said; read -r _ <&3" >/dev/null 2>&1 &
talk=$!
ok 'and a stream goes through it' until_true grep -q hello /home/alice/said

ok 'alice sees hers' says 'data: .*pump-1' apart alice stream list
ok 'and that there is another end, which is not hers' says 'beside: Streams of others are not shown' apart alice stream list
ok 'bob sees none' refused says 'data: .*pump' apart bob stream list
ok 'but that there are some' says 'beside: Streams of others are not shown; --all' apart bob stream list
ok 'as JSON, where data stays data' is '[]' cat <(ctl bob --json stream list 2>/dev/null | tr -d ' \n')
ok 'and beside it' says 'beside: Streams of others' apart bob --json stream list
ok 'tunnels as well' says 'beside: Tunnels of others are not shown' apart bob tunnel list
ok 'top tells' says 'beside: Streams of others' apart bob top --once
ok 'a program reads it from the manager' says '"hidden_streams" : true' ctl bob --json status
ok 'not how many there are' says '"streams" : 0' ctl bob --json status
ok 'olga sees all' says 'data: .*pump-1.*echo' apart olga stream list
ok 'and nothing is hidden from her' refused says 'beside: .' apart olga stream list
ok 'she may end none of it' fails 5 ctl olga tunnel close 1
ok 'nor may bob' fails 5 ctl bob tunnel close 1
ok 'nor use it' refused as bob timeout 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; echo hello >&3; head -n 1 <&3 | grep hello"

# doctor goes as far as each may.
diagnosed() { # USER CODE PATTERN WORDS...
    local said code=0
    said=$(ctl "$1" doctor "${@:4}" 2>&1) || code=$?
    [[ $code -eq $2 && $said =~ $3 ]] || { echo "$code: $said"; return 1; }
}
ok 'doctor: bob sees how the hub is' diagnosed bob 5 'Hub office.*Credentials +ok' --hub office
ok 'what is left out is said to be' diagnosed bob 5 'TLS +skipped +you may not see it' --hub office
ok 'and who may' diagnosed bob 5 'What helps: root may.*manage-hubs.rules' --hub office
ok 'he opens no stream' diagnosed bob 5 'Stream +skipped +you may not see it' pump-1 echo
ok 'alice does, by her own right' diagnosed alice 5 'Stream +ok' pump-1 echo
ok 'a fault that she can see is what counts' diagnosed alice 12 'Device +ok.*Accept policy +failed' pump-1 other
ok 'root sees all of it' diagnosed root 0 'TLS +ok.*Stream +ok' pump-1 echo
ok 'and a device alone' diagnosed root 0 'Device +ok +[0-9]+ .?s +it is connected.*Stream +skipped' pump-1
ok 'one that is away' diagnosed root 10 'Device +failed.*Start streamd on the device' pump-2
ok 'one that nobody knows' diagnosed root 4 'knows no such device' pump-3
as_json() {
    ctl bob --json doctor --hub office | /usr/bin/python3 -c 'import json, sys
checks = json.load(sys.stdin)[-1]["checks"]
print(*("%s=%s" % (c["step"], c.get("why", c["result"])) for c in checks))'
}
ok 'and so does a program' says 'dns=not-allowed.*credentials=ok' as_json

# Every verb that may be denied, with the right that it takes. Each user may call so often a second,
# so they take turns.
users=(bob nobody daemon games)
turn=0
row() { # RULE VERB...
    local rule=$1 user=${users[turn++ % 4]}
    shift
    refusal "$user" "$rule" "$@"
}
refusal() {
    local said code=0
    said=$(ctl "$1" "${@:3}" 2>&1 </root/invitation) || code=$?
    [[ $code -eq 5 && $said == *'root may'* && ($2 == root || $said == *"$examples/$2.rules"*) &&
        $said != *--user* ]] || { echo "$code: $said"; return 1; }
}
denied() { # RULE VERB WORDS...
    tried+="$2"$'\n'
    # shellcheck disable=SC2086
    ok "$2: $1" row "$1" $2 "${@:3}"
}
printf 'HostName=localhost;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0\n' >/root/invitation
tried=
denied manage-hubs 'hub add' more --connection-string-file -
denied manage-hubs 'hub connect' ops
denied manage-hubs 'hub disconnect' ops
denied manage-hubs 'hub set' ops --accept-ca
denied manage-hubs 'hub remove' ops
denied manage-hubs reload
denied manage-targets offer shell tcp:127.0.0.1:22
denied manage-targets 'target add' shell tcp:127.0.0.1:22
denied manage-targets 'target remove' echo
denied see-streams 'accept-policy list'
denied see-streams 'accept-policy test' echo
denied manage-targets 'accept-policy add' --accept echo
denied manage-targets 'accept-policy insert' 0 --accept echo
denied manage-targets 'accept-policy move' 1 0
denied manage-targets 'accept-policy remove' 1
denied manage-targets 'accept-policy set-default' reject
denied open-tunnels 'tunnel open' pump-1 echo
denied open-streams connect pump-1 echo
denied manage-hubs 'tunnel close' 1
denied manage-hubs 'stream close' 1
denied see-streams 'stream list' --all
denied see-streams 'tunnel list' --all
denied see-streams 'stream show' 1 --all
denied see-streams 'tunnel show' 1 --all
denied see-streams monitor --all
denied see-streams top --all --once
denied see-streams 'device list'
denied see-streams metrics
denied answer-requests 'request list'
denied answer-requests 'request accept' 1
denied answer-requests 'request reject' 1
denied answer-requests agent
denied root log-level debug
denied see-streams withdraw echo
tried+=$'doctor\nssh\n' # the one above; ssh is connect's caller
# The others are for everybody.
everybody='status version hub-list hub-show target-list target-show logs'
untried() {
    streamctl --dump-verbs | /usr/bin/python3 -c 'import json, sys
for verb in json.load(sys.stdin)["verbs"]: print(verb["name"])' | grep -vxF "$tried" |
        grep -vxF "$(tr ' -' '\n ' <<<"$everybody")"
}
ok 'no verb is left out' is '' untried

# Whoever has a streamd of one's own, too, is told of it.
start_manager bob
ok "bob's own streamd runs" with_bus bob streamctl --user status
ok 'he is told of it' says 'open-tunnels.rules. Your own streamd runs, too, and asks nobody: --user' \
    with_bus bob streamctl --system tunnel open pump-1 echo
ok 'which is right' with_bus bob streamctl --user target add shell tcp:127.0.0.1:22

# ada's password is asked for, for this hub.
terminal() {
    timeout 15 script -qefc "runuser -l bob --session-command='$*'" /root/terminal
}
answered() {
    rm -f /root/terminal
    { until_true grep -q Password /root/terminal; echo 'open sesame'; sleep 0.2; } | terminal "$@"
}
ok 'asked for a hub' answered streamctl --system hub disconnect ops
ok 'that is named' grep -q 'required to manage the hub ops' /root/terminal
ok 'asked for a tunnel' answered streamctl --system tunnel open --background pump-1 echo
ok 'stream, device and hub are named' grep -q 'a tunnel for echo to the device pump-1 of the hub ops' /root/terminal
ok 'asked for devices' answered streamctl --system device list
ok 'the hub is named' grep -q 'the devices of the hub ops' /root/terminal
ok 'asked for streams' answered streamctl --system stream list --all
ok 'no hub is' grep -q 'what other users have open' /root/terminal
kill $talk
plan

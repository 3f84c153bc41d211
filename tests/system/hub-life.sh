# SPDX-License-Identifier: LGPL-2.1-or-later
# streamhub as a service: enable, start, restart, reload, stop.
. /test-lib/lib.sh

ok 'a hub that was not made does not start' refused systemctl start streamhub
streamhub init --state-dir /var/lib/streamhub --host-name hub.example --san DNS:localhost >/dev/null
ok 'enable --now' systemctl enable --now streamhub
ok 'enabled' is enabled systemctl is-enabled streamhub
ok 'so are its sockets' is "enabled"$'\n'"enabled" systemctl is-enabled streamhub.socket streamhub-mqtts.socket
ok 'active' is active systemctl is-active streamhub
ok 'says what it does' is 'Serving hub.example, port 443, 0 devices, 0 streams' property streamhub StatusText
first=$(property streamhub MainPID)
ok 'the server, not the verbs' is /usr/libexec/streamhubd readlink "/proc/$first/exe"
ok 'not root' refused test "$(stat -c %u "/proc/$first")" = 0
ok 'no capability' grep -q '^CapBnd:[[:space:]]*0*$' "/proc/$first/status"
ok 'its state is for root and itself' is 700 stat -L -c %a /var/lib/private

greet() {
    timeout 5 openssl s_client -connect "localhost:$1" -CAfile /var/lib/streamhub/ca.pem \
        -verify_return_error -brief </dev/null
}
ok 'root rules it' hub device add pump
ok 'TLS on 443' greet 443
ok 'TLS on 8883' greet 8883
ok 'connection strings have no port' says '^HostName=hub.example;' hub connection-string device pump

ok 'restart' systemctl restart streamhub
ok 'another process' refused test "$first" = "$(property streamhub MainPID)"
ok 'its state survived' says pump hub device show pump
ok 'TLS after the restart' greet 443

# A gateway and a client on this machine: who opens a stream while the hub is started again waits for
# it in its sockets, and gets the stream. Who has one is told that the hub stops (exit code 17).
install -D -m 644 /var/lib/streamhub/ca.pem /etc/streamd/ca.pem
# An address that is not the loopback's, or names lead nowhere.
ip address add 10.9.9.1/32 dev lo
echo '10.9.9.1 hub.example' >>/etc/hosts
systemctl start streamd
start_echo
join_hub plant device pump streamctl --system >/dev/null
join_hub out user service streamctl --system >/dev/null
streamctl --system target add echo tcp:127.0.0.1:7007 >/dev/null
streamctl --system accept-policy add --stream echo --accept echo >/dev/null
connect() {
    timeout 60 streamctl --system connect --hub out pump echo "$@"
}
opening() {
    local said status=0
    said=$(echo "$1" | connect 2>&1) || status=$?
    [[ $status -eq 0 && $said == "$1" ]] && echo opened >>/root/openings && return
    [[ $status -eq 17 ]] && echo cut >>/root/openings && return
    echo "failed: $status $said" >>/root/openings
}
openings() {
    local number jobs=()
    rm -f /root/openings
    for ((number = 0; number < 60; number++)); do
        opening "$number" &
        jobs+=($!)
        sleep 0.05
    done
    wait "${jobs[@]}"
}
all_opened() {
    sort /root/openings | uniq -c
    ! grep -q failed /root/openings && [[ $(grep -c opened /root/openings) -ge 55 ]]
}
restart_quickly() {
    local start=${EPOCHREALTIME/./} took
    systemctl restart streamhub || return
    took=$(((${EPOCHREALTIME/./} - start) / 1000))
    echo "# restarted in $took ms" >&2
    echo "$took ms"
    ((took < 3000))
}
ok 'a stream' until_true is hello eval 'echo hello | connect'
connect --no-resume < <(exec sleep 30 2>/dev/null) >/dev/null 2>/root/idle.err &
idle=$!
mkfifo /root/words
connect </root/words >/root/survivor 2>&1 &
survivor=$!
exec 6>/root/words
echo before >&6
both_open() {
    (($(streamctl --system stream list | grep -c ' open ') == 4)) # both roles of both
}
until_true both_open
until_true is before cat /root/survivor
openings &
started=$!
sleep 1
ok 'a restart under an open stream and 20 openings a second is over in 3 s' restart_quickly
wait $idle
ok 'a stream that ends with its connection is told why' test $? = 17
ok 'in words' says 'hub is stopping' cat /root/idle.err
echo after >&6
exec 6>&-
wait $survivor
ok 'one that survives goes on' test $? = 0
ok 'and brings every byte' is $'before\nafter' cat /root/survivor
wait $started
ok 'every opening of that time has got its stream' all_opened
systemctl stop streamd
systemctl reset-failed 'echo@*' # a reset is what those were told whose stream was cut

fingerprint() {
    openssl s_client -connect localhost:443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint
}
before=$(fingerprint)
cp --no-preserve=all /var/lib/streamhub/server.pem /root/good.pem
echo nonsense >/var/lib/streamhub/server.pem
ok 'reload of a certificate that is none' refused systemctl reload streamhub
ok 'the reason is told' until_true journalctl -q -u streamhub -g 'not a certificate'
ok 'is told' until_true journalctl -q -u streamhub -g 'The certificate stays as it was'
ok 'and the old one is kept' is "$before" fingerprint
cat /root/good.pem >/var/lib/streamhub/server.pem
ok 'running on' is running property streamhub SubState
ok 'reload of what is good' systemctl reload streamhub

# certificate NAME DAYS: from the hub's authority; /root/new.pem and its key, which is root's alone.
certificate() {
    (umask 077
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
        -keyout /root/new.key -out /root/new.csr
    openssl x509 -req -in /root/new.csr -CA /var/lib/streamhub/ca.pem -CAkey /var/lib/streamhub/ca-key.pem \
        -CAcreateserial -CAserial /root/serial -days "$2" -out /root/new.pem \
        -extfile <(printf 'subjectAltName=DNS:%s,DNS:localhost\n' "$1")) >/dev/null 2>&1
}
certificate hub.example 60
cp /var/lib/streamhub/server-key.pem /root/old.key
cat /root/new.pem >/var/lib/streamhub/server.pem
mv /var/lib/streamhub/server-key.pem /var/lib/streamhub/kept.key
install -m 600 -o root /root/new.key /var/lib/streamhub/server-key.pem
ok 'a key that is root'"'"'s alone: reload fails' refused systemctl reload streamhub
ok 'and says what helps' until_true journalctl -q -u streamhub -g 'streamhub certificate install'
ok 'the old certificate is shown' is "$before" fingerprint
ok 'install gives it to the hub' hub certificate install /root/new.pem /root/new.key
ok 'another one is shown' refused is "$before" fingerprint
after=$(fingerprint)
ok 'its key is the hub'"'"'s' is "600 $(stat -c %u "/proc/$(property streamhub MainPID)")" \
    stat -c '%a %u' /var/lib/streamhub/server-key.pem
ok 'restart' systemctl restart streamhub
ok 'it starts with that' is "$after" fingerprint
certificate hub.example -1
ok 'an expired one is refused' says 'has expired' hub certificate install /root/new.pem /root/new.key
certificate other.example 60
ok 'one of another name as well' says 'not for the hub.s name hub.example' \
    hub certificate install /root/new.pem /root/new.key
ok 'nothing is left of them' is '' find /var/lib/streamhub/ -name '*.new'
ok 'and the one before stays' is "$after" fingerprint
ok 'reload' systemctl reload streamhub
rm -f /var/lib/streamhub/kept.key

# Dead for want of a readable key: installed all the same, and it starts again.
install -m 600 -o root /root/old.key /var/lib/streamhub/server-key.pem
systemctl stop streamhub 2>/dev/null
ok 'it does not start with a key that it cannot read' refused timeout 10 systemctl start streamhub
systemctl stop streamhub 2>/dev/null
certificate hub.example 60
ok 'install while it is stopped' hub certificate install /root/new.pem /root/new.key
ok 'it starts' systemctl restart streamhub
ok 'TLS again' greet 443

ok 'drain without streams is done at once' says 'No stream is left' hub drain --timeout 5
ok 'it takes streams again' says 'again' hub drain --cancel
ok 'stop, sockets and all' systemctl stop streamhub.socket streamhub-mqtts.socket streamhub
ok 'cleanly' is success property streamhub Result
ok 'nobody listens' refused greet 443
ok 'a socket starts it' systemctl start streamhub.socket
ok 'with the first connection' greet 443
ok 'active again' is active systemctl is-active streamhub
ok 'only the start before its making failed' is '' systemctl list-units --failed --plain --no-legend
plan

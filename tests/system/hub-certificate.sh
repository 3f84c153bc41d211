# SPDX-License-Identifier: LGPL-2.1-or-later
# The hub's certificate and the authority's key, as a service: whose they are, also after a move from
# a version that had no user of its own, and the renewal by timer under a stream.
. /test-lib/lib.sh

state=/var/lib/streamhub
key_owner() {
    stat -L -c '%U %a' $state/ca-key.pem
}
fingerprint() {
    openssl s_client -connect localhost:443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256
}
greet() {
    timeout 5 openssl s_client -connect localhost:443 -CAfile $state/ca.pem \
        -verify_return_error -brief </dev/null
}
days() {
    hub status --json | sed -n 's/.*"certificate_days_left" *: *\([0-9]*\).*/\1/p'
}

# 0.1.0 had no user of its own: its folder lay in /var/lib/private, and all in it was of a user that
# is nobody now, the authority's key too.
hub init --host-name localhost >/dev/null
mkdir -p -m 700 /var/lib/private
mv $state /var/lib/private/streamhub
chown -R 61234:61234 /var/lib/private/streamhub
ln -s private/streamhub $state
ok 'a hub of 0.1.0 starts' systemctl start streamhub
ok 'its folder has moved' is directory stat -c %F $state
ok 'and is of the hub'"'"'s user alone' is 'streamhub 700' stat -c '%U %a' $state
ok 'as its process' is streamhub ps -o user= -p "$(property streamhub MainPID)"
ok 'its certificate is too' is 'streamhub 600' stat -c '%U %a' $state/server-key.pem
ok 'its registry is too' is 'streamhub 600' stat -c '%U %a' $state/registry.sqlite
ok 'the key of the authority is root'"'"'s' is 'root 600' key_owner
ok 'so the hub cannot read it' refused runuser -u streamhub -- cat $state/ca-key.pem
ok 'its own it can' runuser -u streamhub -- test -r $state/server-key.pem
ok 'TLS' greet
ok 'only root may take the key back' says 'only root' runuser -u streamhub -- streamhub ca protect
ok 'the timer runs' is active systemctl is-active streamhub-certificate.timer

# A new hub: the service manager gives the user all, and the key comes back.
systemctl stop streamhub.socket streamhub-mqtts.socket streamhub
rm -rf $state
hub init --host-name localhost >/dev/null
ok 'a new one starts' systemctl start streamhub
ok 'the key of its authority is root'"'"'s' is 'root 600' key_owner
ok 'its registry the hub'"'"'s' is 'streamhub 600' stat -c '%U %a' $state/registry.sqlite
ok 'a restart' systemctl restart streamhub
ok 'leaves it so' is 'root 600' key_owner

# A stream, and a certificate that ends in 20 days.
install -D -m 644 $state/ca.pem /etc/streamd/ca.pem
hub device add pump >/dev/null
systemctl start streamd
start_echo
join_hub plant device pump streamctl --system >/dev/null
join_hub out user service streamctl --system >/dev/null
streamctl --system target add echo tcp:127.0.0.1:7007 >/dev/null
streamctl --system accept-policy add --stream echo --accept echo >/dev/null
echoes() {
    echo "$1" | timeout 10 streamctl --system connect --hub out pump echo
}
ok 'a stream' until_true is hello echoes hello
mkfifo /root/in /root/out
timeout 60 streamctl --system connect --hub out pump echo </root/in >/root/out &
exec 8>/root/in 9</root/out
talk() {
    echo "$1" >&8
    read -r -t 5 -u 9 said && [[ $said == "$1" ]] || { echo "got: $said"; return 1; }
}
ok 'a stream that stays' talk first
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
    -keyout /root/short.key -out /root/short.csr 2>/dev/null
openssl x509 -req -in /root/short.csr -CA $state/ca.pem -CAkey $state/ca-key.pem -CAcreateserial \
    -CAserial /root/serial -days 20 -out /root/short.pem -extfile <(echo subjectAltName=DNS:localhost) 2>/dev/null
ok 'a certificate of 20 days' hub certificate install /root/short.pem /root/short.key
ok 'the log warns' until_true journalctl -q -u streamhub -g 'expires in (19|20) days'
ok 'the status says so' test "$(days)" -le 20
short=$(fingerprint)
printf '[Timer]\nOnCalendar=\nOnCalendar=*:*:*\nRandomizedDelaySec=0\nAccuracySec=10ms\n' |
    drop_in streamhub-certificate.timer soon
systemctl restart streamhub-certificate.timer
renewed() {
    [[ $(fingerprint) != "$short" ]]
}
ok 'the timer renews it' until_true renewed
printf '[Timer]\nOnCalendar=\nOnCalendar=daily\n' | drop_in streamhub-certificate.timer soon
systemctl restart streamhub-certificate.timer
ok 'for 825 days' says '^82[45]$' days
ok 'clients take it' greet
ok 'its key is the hub'"'"'s' is 'streamhub 600' stat -c '%U %a' $state/server-key.pem
ok 'the stream goes on' talk second
long=$(fingerprint)
ok 'once more: not due' systemctl start streamhub-certificate.service
ok 'so it stays' is "$long" fingerprint
ok 'no network for that' is yes property streamhub-certificate PrivateNetwork

# Twenty renewals by hand under the same stream; the oneshot does what --due would.
printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=\nExecStart=/usr/bin/streamhub --state-dir /var/lib/streamhub certificate renew\n' |
    drop_in streamhub-certificate.service always
twenty() {
    local number
    for ((number = 0; number < 20; number++)); do
        systemctl start streamhub-certificate.service && talk "$number" || return
        fingerprint
    done
}
count() {
    twenty | sort -u | wc -l
}
ok 'twenty renewals by the unit' is 20 count
ok 'the same stream still' talk third
exec 8>&-

# What the unit cannot do is told.
mv $state/ca-key.pem /root/kept.pem
ok 'without the key there is nothing to do' systemctl start streamhub-certificate.service
ok 'it was skipped' is no property streamhub-certificate ConditionResult
install -o streamhub -m 600 /root/kept.pem $state/ca-key.pem
ok 'a key of another user is refused' refused systemctl start streamhub-certificate.service
ok 'with the reason' until_true journalctl -q -u streamhub-certificate -g 'must be of user 0 alone'
systemctl reset-failed streamhub-certificate.service
mv /root/kept.pem $state/ca-key.pem
systemctl stop streamd
systemctl reset-failed 'echo@*'
ok 'nothing failed' is '' systemctl list-units --failed --plain --no-legend
plan

# SPDX-License-Identifier: LGPL-2.1-or-later
# What streamd tells the journal: a record per event, with its id, its fields and its explanation;
# and nowhere a key, nor what streams carry.
. /test-lib/lib.sh

id_of() {
    grep -B 40 -m 1 "^Subject: $1\$" /usr/lib/systemd/catalog/streamd.catalog | sed -n 's/^-- //p' | tail -n 1
}
# told_by UNIT SUBJECT FIELD=VALUE...: there is such a record.
told_by() {
    local unit=$1 id
    id=$(id_of "$2")
    shift 2
    journalctl --sync
    journalctl -q -o json _SYSTEMD_UNIT="$unit.service" MESSAGE_ID="$id" "$@" | grep -q MESSAGE
}
told() {
    told_by streamd "$@"
}

{
    start_hub
    systemctl start streamd
    hub device add pump
    hub connection-string device pump --output /root/pump
    hub connection-string user service --output /root/service
    start_echo
    journalctl --update-catalog
} >/dev/null 2>&1

streamctl() {
    command streamctl --system "$@"
}
ok 'a hub' streamctl hub add plant --connection-string-file /root/pump --ca /etc/streamd/ca.pem
ok 'another' streamctl hub add ops --connection-string-file /root/service --ca /etc/streamd/ca.pem
ok 'a target' streamctl target add echo tcp:127.0.0.1:7007
ok 'a rule' streamctl accept-policy add --stream echo --accept echo
canary='canary-in-a-stream-4711'
carry() {
    is "$canary" sh -c "{ echo $canary; sleep 0.2; } | streamctl --system connect --hub ops --wait=10 pump echo"
}
ok 'a stream' carry
ok 'one that is rejected' fails 12 streamctl connect --hub ops pump other

ok 'told: started' told 'streamd has started' STREAMD_DETAIL=0.2.0
ok 'told: a hub was added' told 'A hub was added' STREAMD_HUB=plant STREAMD_DEVICE=pump
ok 'told: connected' told 'Connected to a hub' STREAMD_HUB=plant
ok 'told: a target was added' told 'A target was added' STREAMD_TARGET=echo
ok 'told: the policy was changed' told 'The accept policy was changed'
ok 'told: accepted' told 'A stream is accepted' STREAMD_STREAM=echo STREAMD_TARGET=echo
ok 'told: open' told 'A stream is open' STREAMD_STREAM=echo
ok 'told: its end, and what it carried' until_true told 'A stream ended in order' \
    STREAMD_STREAM=echo "STREAMD_BYTES_IN=$((${#canary} + 1))"
ok 'told: rejected' told 'A stream is rejected' STREAMD_STREAM=other
who=(STREAMD_UID=0 STREAMD_USER=root STREAMD_CLASS=change)
ok 'told: who added the hub' told 'A hub was added' "${who[@]}" STREAMD_OBJECT=/io/streamd/Streamd1/hub/plant STREAMD_OLD=none
ok 'told: what the target was and is' told 'A target was added' "${who[@]}" STREAMD_OLD=none STREAMD_NEW=tcp:127.0.0.1:7007
# journal_of UNIT FIELD MATCH...: the values of a field.
journal_of() {
    local unit=$1 field=$2
    shift 2
    journalctl --sync
    journalctl -q -o json _SYSTEMD_UNIT="$unit.service" "$@" | python3 -c "
import json, sys
for line in sys.stdin:
    print(json.loads(line).get('$field', ''))"
}
ok 'told: by which name on the bus' says '^:1\.[0-9]+$' journal_of streamd STREAMD_BUS_NAME STREAMD_CLASS=change STREAMD_TARGET=echo
ok 'told: by which process' says '^[0-9]+$' journal_of streamd STREAMD_CALLER_PID STREAMD_CLASS=change STREAMD_TARGET=echo
count_changes() {
    journal_of streamd MESSAGE STREAMD_CLASS=change | wc -l
}
ok 'one record for each change, and none at the start' is 4 count_changes
ended=$(id_of 'A stream ended in order')
id=$(journal_of streamd STREAMD_STREAM_ID MESSAGE_ID="$ended" STREAMD_HUB=plant | head -n 1)
ok "the hub's id of a stream, in its records" grep -q "\"operationName\":\"end\".*\"streamId\":\"$id\"" \
    /var/lib/streamhub/records/records.jsonl
ok 'and at the other end' is "$id" journal_of streamd STREAMD_STREAM_ID MESSAGE_ID="$ended" STREAMD_HUB=ops STREAMD_STREAM_ID="$id"

# The lines of the manual, as they stand there: who opened this gateway, who was on it last Tuesday, who changed it.
manual() {
    bash -c "$(zcat -f /usr/share/man/man8/streamd.8* | sed -n '/RUN: records/,/END/{s/\\-/-/g;/^streamctl/p}' | sed -n "$1p")"
}
ok 'who opened this gateway' says 'echo of pump at hub plant, for service from .*, ended' manual 1
ok 'and who was rejected' says 'other from service .* is rejected' manual 1
ok 'who was on it last Tuesday: nobody' refused says 'Stream [0-9]' manual 2
ok 'who was on it today' says 'echo of pump at hub plant' streamctl logs --streams --since today
ok 'who changed it' says 'Target echo was added: tcp:127.0.0.1:7007, by root' manual 3
ok 'and nothing else' refused says 'Stream [0-9]' streamctl logs --changes
ok 'alice may not' refused as alice busctl --system call io.streamd.Streamd1 /io/streamd/Streamd1/target/echo \
    io.streamd.Streamd1.Target Remove
ok 'and that is told' until_true told 'Somebody may not do this' STREAMD_USER=alice STREAMD_CLASS=denied \
    STREAMD_OBJECT=/io/streamd/Streamd1/target/echo
# systemctl shows it in quotes.
ok 'the status says how it stands' until_true says '"2 of 2 hubs connected, 0 streams, 0 tunnels"' systemctl status streamd --no-pager
ok "and the hub's" until_true says '"Serving .*, 1 device, 0 streams"' systemctl status streamhub --no-pager
ok 'status --check' streamctl status --check
ok 'told by the hub: started' told_by streamhub 'streamhub has started'
ok 'told by the hub: a device' told_by streamhub 'A device is connected' STREAMD_DEVICE=pump
ok 'told is not said of what did not happen' refused told 'A hub was added' STREAMD_HUB=other
ok 'explained' says 'serves its bus and connects to its hubs' \
    journalctl -q -x MESSAGE_ID="$(id_of 'streamd has started')"

ok 'the level of the log' is info systemctl service-log-level streamd
ok 'is changed by root' systemctl service-log-level streamd debug
ok 'and is now' is debug systemctl service-log-level streamd
ok 'but not by alice' refused as alice busctl --system set-property io.streamd.Streamd1 \
    /org/freedesktop/LogControl1 org.freedesktop.LogControl1 LogLevel s emerg
ok 'it stays' is debug systemctl service-log-level streamd
ok 'a stream at that level' carry

journalctl --sync
journalctl -q -o export >/root/everything
for secret in /root/pump /root/service; do
    key=$(sed 's/.*SharedAccessKey=//' "$secret")
    ok "no key of $secret" refused grep -aqF "$key" /root/everything
done
ok 'no token' refused grep -aqE 'SharedAccessSignature|sig=' /root/everything
ok 'nothing that a stream carried' refused grep -aq "$canary" /root/everything
plan

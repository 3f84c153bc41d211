# SPDX-License-Identifier: LGPL-2.1-or-later
# What an operator of a fleet does, one operation after the other, while 20 streams a second are opened
# from here (ops, bob and carol have a hub each in this machine's streamd) and others stay open. Each
# `on MACHINE 'COMMAND'` is what is typed there, so an operation can be read here as its recipe; at
# the end the load says which streams ended that were not meant to.
. /test-lib/operations.sh
. /test-lib/lib.sh

all=$((3 * gateways))
steps=/root/steps log=/root/load
: >$steps

# note WHAT...: for the judge, with the time.
note() {
    (IFS=$'\t'; printf '%s\t%s\n' "$EPOCHREALTIME" "$*") >>$steps
}
# step NAME MEANT: what follows is this operation, by which those streams end: "USER/DEVICE,...", * is all.
step() {
    note step "$1" "$2"
    echo "# $1"
}
# over SECONDS: the operation is done, and the load goes on for so long.
over() {
    note done
    sleep "$1"
    note end
}
declare -A statuses # the pipe of each machine, open for good: a reader that came anew would see ends
# run MACHINE COMMAND: there; what it says is in /shared/MACHINE.said.
run() {
    local status=124
    printf '%s\n' "$2" >"/shared/$1.typed"
    read -r -t 100 -u "${statuses[$1]}" status
    return "$status"
}
# on MACHINE COMMAND: typed there as it is here; on "sites" by all of them, one after the other.
on() {
    local machine machines=$1
    note typed
    [[ $1 != sites ]] || machines='site1 site2 site3'
    echo "#   $1# $2"
    for machine in $machines; do
        run "$machine" "$2" && continue
        sed "s/^/# /" "/shared/$machine.said"
        failed=$((failed + 1))
    done
}
# done_as_typed: nothing that was typed since the last time has failed.
failed=0
done_as_typed() {
    local before=$failed
    failed=0
    [[ $before -eq 0 ]]
}
# hub_says PATTERN COMMAND: the hub that is in use at the moment.
hub=hub1
hub_says() {
    run $hub "$2"
    grep -Eq -- "$1" /shared/$hub.said || { cat /shared/$hub.said; return 1; }
}
connected() {
    hub_says "^$1\$" "streamhub device list --state connected --json | grep -c '\"device_id\"'"
}
# tunnel USER DEVICE once|stays|both: for the load.
tunnel() {
    local port
    port=$(streamctl --system --json tunnel open --background --wait=60 --hub "$1" "$2" echo) &&
        [[ $port =~ 127.0.0.1:([0-9]+) ]] && echo "$1 $2 ${BASH_REMATCH[1]} $3" >>/root/tunnels.new
}
use_tunnels() {
    cp /root/tunnels.new /root/tunnels.next
    mv /root/tunnels.next /root/tunnels
}
# no_more USER/DEVICE...: nobody tries those tunnels any more, so that all 20 streams a second are good ones.
no_more() {
    local one
    for one; do
        sed -i "/^${one/\// } /d" /root/tunnels.new
    done
    use_tunnels
}
# A condition for which 300 gateways take longer than the ten seconds of until_true.
in_time() {
    local try
    for ((try = 0; try < 1 + gateways / 10; try++)); do
        until_true "$@" >/dev/null 2>&1 && return
    done
    "$@"
}

for machine in hub1 hub2 site1 site2 site3; do
    wait_for $machine || exit 1
    exec {pipe}<>/shared/$machine.status
    statuses[$machine]=$pipe
done
printf '[limits]\nListenersPerUser=1024\nStreamsPerUser=1024\n' >/etc/streamd/streamd.conf
systemctl start streamd
# The long form begins with an authority as 0.1.0 made it, which cannot vouch for the next one.
cat >/shared/make-old <<'MAKE'
cd /var/lib/streamhub && rm ca.pem && openssl req -x509 -new -key ca-key.pem -days 3650 -subj '/CN=streamhub CA' \
    -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign -out ca.pem &&
    streamhub certificate renew --host-name hub.example
MAKE
ok 'a hub' run hub1 'streamhub init --host-name hub.example'
if [[ $gateways -gt 4 ]]; then
    ok 'an authority of 0.1.0' run hub1 'bash /shared/make-old'
    kind=told
else
    kind=linked
fi
ok 'it runs' run hub1 'systemctl enable --now streamhub'
for user in ops bob carol; do
    run hub1 "streamhub invite user $user --output /shared/$user.invite"
    streamctl --system hub add $user /shared/$user.invite >/dev/null || exit 1
done

step 'Enrol 300 gateways' none
on hub1 "streamhub invite group factory --devices 'gw-*' --uses $all --expires 1d --output /shared/factory.invite"
on sites 'install -o streamd -m 600 /shared/factory.invite /etc/streamd/enroll.invite'
on sites 'systemctl enable --now streamd'
in_time connected 3
for site in 1 2 3; do tunnel ops gw-$site-1 both; done
use_tunnels
python3 /test-lib/operations.py load /root/tunnels $log 2>/root/load.errors &
load=$!
on sites "systemctl start gateway@{2..$gateways}"
ok 'all have enrolled' in_time connected $all
ok 'by one invitation' hub_says "\"used\" *: *$all," "streamhub invite list --json | grep -A20 factory"
for site in 1 2 3; do
    for ((number = 2; number < gateways; number++)); do tunnel ops gw-$site-$number once; done
    tunnel bob gw-$site-2 both
    tunnel carol gw-$site-3 both
    for ((number = 1; number <= gateways; number++)); do
        echo "{\"id\":\"gw-$site-$number\",\"tags\":{\"site\":\"s$site\"}}"
    done >>/shared/sites.jsonl
done
tunnel ops gw-3-$gateways both
use_tunnels
over 2
ok 'it was done' done_as_typed

step 'Limit a user to two sites' 'bob/gw-3-*'
on hub1 'streamhub device import --update /shared/sites.jsonl'
note fails bob 'gw-3-*'
on hub1 'streamhub user set bob --tag site=s1 --tag site=s2'
note now
over 3
no_more 'bob/gw-3-.*'
ok 'it was done' done_as_typed

step 'Change all keys' none
on hub1 'streamhub device rekey --all'
ok 'of all' hub_says "^$all\$" "streamhub device rekey --all --json | grep -c '\"done\"'"
over 2
ok 'it was done' done_as_typed

step 'Revoke a gateway' "*/gw-3-$gateways"
note fails '*' "gw-3-$gateways"
on hub1 "streamhub device disable gw-3-$gateways"
note now
over 3
no_more ".*/gw-3-$gateways"
ok 'it was done' done_as_typed

step 'Revoke a person' 'carol/*'
note fails carol '*'
on hub1 'streamhub user remove carol'
note now
over 3
no_more 'carol/.*'
ok 'it was done' done_as_typed

# The certificate that a hub shows to who connects now.
shown() {
    openssl s_client -connect hub.example:443 -servername hub.example </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint
}
trusted() {
    openssl s_client -connect hub.example:443 -servername hub.example -CAfile "$1" -no-CApath \
        -verify_return_error -brief </dev/null
}
run hub1 'cp /var/lib/streamhub/ca.pem /shared/first-ca.pem'

step 'Renew the certificate' none
before=$(shown)
on hub1 'streamhub certificate renew'
ok 'another one is shown' refused is "$before" shown
over 2
ok 'it was done' done_as_typed

# One that the operator got elsewhere; here the same authority made it.
cat >/shared/make-certificate <<'MAKE'
cd /root && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=hub.example -keyout key.pem -out request.pem &&
    echo subjectAltName=DNS:hub.example >names &&
    openssl x509 -req -in request.pem -CA /var/lib/streamhub/ca.pem -CAkey /var/lib/streamhub/ca-key.pem \
        -set_serial 77 -days 90 -extfile names -out certificate.pem
MAKE
ok 'a certificate is made' run hub1 'bash /shared/make-certificate'
step 'Change the certificate' none
before=$(shown)
on hub1 'streamhub certificate install /root/certificate.pem /root/key.pem'
ok 'that one is shown' refused is "$before" shown
over 2
ok 'it was done' done_as_typed

# Devices and users that know the next authority.
know() {
    hub_says "^$1\$" "streamhub ca rotate --json | grep -c '\"knows\" *: *\"yes\"'"
}
step 'Change the authority' none
on hub1 'streamhub ca rotate'
ok "the change is $kind" hub_says "\"$kind\"" 'streamhub ca show --json'
ok 'who was not revoked knows the next one' in_time know $((all - 1 + 2))
on hub1 'streamhub ca rotate --finish'
ok 'the former one is good no more' refused trusted /shared/first-ca.pem
over 3
ok 'it was done' done_as_typed

step 'Restart the hub' none
on hub1 'systemctl restart streamhub'
note now
over 3
ok 'it was done' done_as_typed

step 'Restart streamd on a gateway' none
on site1 'systemctl restart streamd'
note now
over 3
ok 'it was done' done_as_typed

step 'Restart streamd where streams are opened' none
note typed
echo '#   client# systemctl restart streamd'
systemctl restart streamd || failed=1
note now
over 3
ok 'it was done' done_as_typed

step 'Move the hub to another machine' none
on hub1 'streamhub drain --read-only --timeout 0 || test $? = 13 # streams are left'
on hub1 'streamhub backup /root/registry'
on hub1 "tar -C /var/lib/streamhub -cf /root/files.tar --exclude=./registry.sqlite* --exclude=./records --exclude=./*.sock ."
on hub1 'cp -p /root/registry /root/files.tar /etc/streamd/streamhub.conf /shared/'
on hub2 'install -d -m 700 -o streamhub -g streamhub /var/lib/streamhub'
on hub2 'tar -C /var/lib/streamhub -xf /shared/files.tar && cp /shared/streamhub.conf /etc/streamd/'
on hub2 'streamhub restore /shared/registry'
on hub2 'systemctl enable --now streamhub'
on hub2 'sed s/10.9.0.1/10.9.0.2/ /shared/hosts >/shared/hosts.new && mv /shared/hosts.new /shared/hosts'
on hub1 'systemctl disable --now streamhub.socket streamhub-mqtts.socket streamhub'
note now
hub=hub2
ok 'all come by themselves' in_time connected $((all - 1))
over 3
ok 'it was done' done_as_typed

# At the hub that was left, and at the gateway: both have the stream's id.
step 'Find who opened what' none
on hub1 'streamhub log --device gw-1-1 --kind ends --since -10min --json'
id=$(grep '"user":"ops"' /shared/hub1.said | head -1 | grep -o '"streamId":"[^"]*"' | cut -d'"' -f4)
on site1 "journalctl -q STREAMD_STREAM_ID=$id"
ok 'the gateway names who it was' grep -Eq "echo .* ops .*10\\.9\\.0\\.6.* (ended|was cut)" /shared/site1.said
over 0
ok 'it was done' done_as_typed
# What it takes: the hub, and each streamd of a site.
cat >/shared/memory <<'MEMORY'
for pid in $(pidof "$1"); do awk '/^Pss:/ { print $2 }' /proc/$pid/smaps_rollup; done |
    awk '{ sum += $1; } END { printf "%s: %.1f MB each of %d", name, sum / NR / 1024, NR }' name="$1"
MEMORY
run hub2 'bash /shared/memory streamhubd'
run site2 'bash /shared/memory streamd'
echo "# measured: $all gateways; $(</shared/hub2.said); $(</shared/site2.said)"

kill -TERM $load
wait $load
ok 'the load had no trouble of its own' is '' cat /root/load.errors
# Every stream that a gateway ever had is in the records of one of the hubs, and both say the same of it. The last
# ones have ended a moment ago, so a journal may have them a moment later.
agreed() {
    local try machine
    for ((try = 0; try < 5; try++)); do
        run site1 'journalctl --sync; journalctl -q -u streamd -o json'
        for machine in hub1 hub2; do
            run $machine 'streamhub log --device gw-1-1 --kind ends --json'
            cat /shared/$machine.said
        done >/root/records
        python3 /test-lib/operations.py agree /root/records /shared/site1.said >/root/agree
        grep -q '^!' /root/agree || return 0
        sleep 1
    done
    cat /root/agree
    return 1
}
for machine in hub1 hub2; do
    ok "the records of $machine are whole" run $machine 'streamhub log verify'
done
ok 'the hubs and the gateway say the same of every stream' agreed
sed 's/^/# /' /root/agree
run hub1 "streamhub log --result 503001 --json | grep -c '\"503001\"'"
ok 'openings met the old hub while it was drained' test "$(</shared/hub1.said)" -gt 0
echo "# measured: $(</shared/hub1.said) openings were told 503, and tried again"

journalctl -q -u streamd -o json MESSAGE_ID=66a080c89e784ff8a825edb40a81fed9 >/root/failed
python3 /test-lib/operations.py judge $log $steps /root/failed >/root/table
sed 's/^/# /' /root/table
cp $log $steps /root/failed /out/
while IFS='|' read -r name commands _; do
    ok "$name: no stream failed that was not meant to" refused grep -F "!$name:" /root/table
    ok "$name: $commands commands, as operations.md has it" grep -qF "| $name | $commands |" /shared/operations.md
done < <(grep -v '^[!#]' /root/table)
plan

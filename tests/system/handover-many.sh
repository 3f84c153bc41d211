# SPDX-License-Identifier: LGPL-2.1-or-later
# A restart of a streamd with more streams than the next one can be left: 512 go on, those that were opened first; the
# others end, told in one record. What a restart costs with 1, 100 and 512 is printed.
. /test-lib/lib.sh

alice() {
    with_bus alice "$@"
}
unit() {
    alice systemctl --user "$@"
}
ctl() {
    alice streamctl --user "$@"
}
connected() {
    streamctl --system --json hub list | grep -q '"connected"'
}
value() { # KEY
    sed -n "s/^$1 //p" /home/alice/flows 2>/dev/null
}
carried() {
    [[ $(value pieces) -ge $1 ]]
}
# flows COUNT: connections, each of which says something twice a second.
flows() {
    rm -f /home/alice/flows*
    alice python3 /test-lib/handover.py "$port" "$1" /home/alice/flows 0.5 >/home/alice/flows.err 2>&1 &
    patiently carried 1
}
# patiently COMMAND...: within a minute; much is opened, and begins anew.
patiently() {
    local try
    for ((try = 0; try < 6; try++)); do
        until_true "$@" >/dev/null 2>&1 && return
    done
    cat /home/alice/flows
    "$@"
}
open_streams() {
    "$@" --json stream list | grep -cE '"state" ?: ?"(open|suspended)"'
}
# restart COMMAND...: prints how long that took.
restart() {
    local begin=$EPOCHREALTIME end
    "$@" || return
    end=$EPOCHREALTIME
    echo "# $*: $(((${end/./} - ${begin/./}) / 1000)) ms"
}
go_on() {
    local before
    before=$(value pieces)
    patiently carried $((before + 2)) && is 0 value ended
}
stop_flows() {
    touch /home/alice/flows.stop
    patiently is "$1" value whole
}

systemd-run -q --unit=test-echo -p LimitNOFILE=4096 python3 /test-lib/many.py echo 7007
install -d /etc/streamd
printf '[hub]\nstreams-per-user-and-device = 1000\n' >/etc/streamd/streamhub.conf
start_hub
hub device add gw-1 >/dev/null
systemctl -q enable --now streamd
join_hub site device gw-1 streamctl --system >/dev/null
streamctl --system target add echo tcp:127.0.0.1:7007 >/dev/null
streamctl --system accept-policy add --stream echo --accept echo >/dev/null
start_manager alice
printf '[limits]\nStreamsPerUser=1000\n' >/etc/streamd/alice.conf
mkdir -p /etc/systemd/user/streamd.service.d
printf '[Service]\nExecStart=\nExecStart=/usr/bin/streamd --user --config /etc/streamd/alice.conf\n' \
    >/etc/systemd/user/streamd.service.d/many.conf
unit daemon-reload
unit -q enable --now streamd
join_hub site user service alice streamctl --user >/dev/null
until_true connected
ctl tunnel open gw-1 echo --background >/dev/null
port=$(ctl --json tunnel list | grep -o '127\.0\.0\.1:[0-9]*' | cut -d: -f2)

for count in 1 100 512; do
    flows $count
    ok "$count streams are open" is $count open_streams ctl
    for who in 'systemctl' 'unit'; do
        restart $who restart streamd
        ok "$count streams: they go on ($who restart)" go_on
    done
    ok "$count streams: they end in order" stop_flows $count
done

flows 513
ok '513 streams are open' is 513 open_streams ctl
restart unit restart streamd
ended() {
    is 1 value ended
}
ok 'one of them ends' until_true ended
ok 'and no other' is 512 open_streams ctl
one_record() {
    is 1 bash -c "journalctl -q _SYSTEMD_USER_UNIT=streamd.service -g '512 streams wait for the next streamd; 1 more are cut' -o cat | wc -l"
}
ok 'one record says so' until_true one_record
touch /home/alice/flows.stop
plan

# SPDX-License-Identifier: LGPL-2.1-or-later
# Each file of examples/polkit in the real polkit, alone: whom it is for gets exactly what it says,
# by polkit's word and by a verb of streamctl, and nobody else gets anything.
. /test-lib/lib.sh

examples=/usr/share/doc/streamd/examples/polkit
rights='view open-stream open-tunnel handle-streams answer-requests manage-targets manage-policy manage-hubs'

# alice is whom the rules are for; where they name a user, she is called that.
exec 3>&1 >/dev/null 2>&1
for group in stream-users tunnel-users support gateway-admins hub-admins; do
    groupadd --system $group
    usermod -aG $group alice
done
for user in ann kiosk echo-app; do useradd -M $user; done
mkdir -p /etc/streamd /etc/polkit-1/rules.d
echo 'HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0' >/root/key
install -m 600 -o streamd /root/key /etc/streamd/key
printf '[hub plant]\nConnectionStringFile=/etc/streamd/key\n' >/etc/streamd/streamd.conf
systemctl start streamd
exec >&3 2>&1

drop_in polkit.service often <<'UNIT'
[Unit]
StartLimitIntervalSec=0
UNIT
# with_rule FILE: polkit has that one and no other.
with_rule() {
    rm -f /etc/polkit-1/rules.d/*
    [[ -z $1 ]] || cp "$examples/$1.rules" /etc/polkit-1/rules.d/50-streamd.rules
    systemctl restart polkit
}
# may PID: the rights that polkit gives to the process, in their order.
may() {
    local right all=
    for right in $rights; do
        ! pkcheck --action-id "io.streamd.streamd1.$right" --process "$1" --detail hub plant \
            --detail device gw-1 --detail stream ssh >/dev/null 2>&1 || all+=" $right"
    done
    echo "${all# }"
}
# sleeper USER [SEAT]: sets pid, a process of that user, in a session of the seat if there is one.
sleeper() {
    local unit=sleep-$1${2:+-$2}
    systemd-run -q --collect --unit="$unit" -p User="$1" ${2:+-p PAMName=login -E XDG_SEAT=$2} sleep 100
    until_true test "$(property "$unit" MainPID)" -gt 0 >/dev/null
    pid=$(property "$unit" MainPID)
    [[ -z ${2:-} ]] || until_true is active loginctl show-user "$1" -p State --value >/dev/null
}
for user in alice bob ann kiosk echo-app; do
    sleeper $user
    declare "pid_${user//-/_}=$pid"
done
# pid_* of the users are afar, without a session.
# shellcheck disable=SC2154
row() { # FILE USER RIGHTS VERB...: and bob gets nothing
    local file=$1 user=$2 wanted=$3 pid
    shift 3
    with_rule "$file"
    pid=pid_${user//-/_}
    ok "$file: $user gets exactly what it says" is "$wanted" may "${!pid}"
    ok "$file: bob gets nothing" is '' may "$pid_bob"
    ok "$file: $user, by streamd" as "$user" "$@"
    ok "$file: bob, by streamd" fails "${denied:-5}" as bob "$@"
}
ctl() {
    printf 'timeout 10 streamctl --system %s' "$*"
}
register() {
    printf 'busctl --system call io.streamd.Streamd1 /io/streamd/Streamd1 io.streamd.Streamd1.Manager %s' "$*"
}
with_rule ''
ok 'without a rule alice gets nothing' is '' may "$pid_alice"
# shellcheck disable=SC2046,SC2016
{
    row open-tunnels alice open-tunnel $(ctl tunnel open --background --hub plant gw-1 ssh)
    row see-streams alice view $(ctl accept-policy list)
    row manage-targets alice 'view manage-targets manage-policy' $(ctl offer door tcp:127.0.0.1:1)
    row manage-hubs alice manage-hubs $(ctl hub disconnect plant)
    row answer-requests ann answer-requests $(ctl request list)
    denied=1 row handle-streams echo-app handle-streams $(register RegisterHandler 'oa{sv}' /x 1 name s echo)
}
with_rule open-streams
ok 'open-streams: alice gets exactly what it says' is open-stream may "$pid_alice"
ok 'open-streams: bob gets nothing' is '' may "$pid_bob"
# This hub cannot be reached, which is another error than to be refused.
ok 'open-streams: alice, by streamd' fails 14 as alice timeout 10 streamctl --system connect gw-1 ssh
ok 'open-streams: bob, by streamd' fails 5 as bob timeout 10 streamctl --system connect gw-1 ssh
ok 'open-streams: alice opens no tunnel' fails 5 as alice streamctl --system tunnel open gw-1 ssh

with_rule kiosk
ok 'kiosk: from afar nothing' is '' may "$pid_kiosk"
sleeper bob seat0
ok 'kiosk: another user at the screen has what is everybody'\''s' is 'handle-streams answer-requests' may "$pid"
sleeper kiosk seat0
ok 'kiosk: at the screen consent' is answer-requests may "$pid"
seated=$pid
sleeper olga seat0
ok 'kiosk: and nothing in the background' is '' may "$seated"

# The list of the examples is whole, and so is this test.
tried='answer-requests handle-streams kiosk manage-hubs manage-targets open-streams open-tunnels see-streams'
ok 'each example is tried' is "$tried" sh -c "cd $examples && echo *.rules | sed 's/\.rules//g'"
plan

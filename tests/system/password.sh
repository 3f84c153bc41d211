# SPDX-License-Identifier: LGPL-2.1-or-later
# streamctl's own password agent with the real polkit, and the users of a hub.
. /test-lib/lib.sh

systemctl start streamd

# on_terminal COMMAND...: as alice, logged in on a terminal of its own; what it shows is kept. polkit
# takes no fallback agent where there is no session.
on_terminal() {
    timeout 15 script -qefc "runuser -l alice --session-command='$*'" /root/terminal
}
# answered PASSWORD COMMAND...: whoever asks for one gets it.
answered() {
    local password=$1
    shift
    rm -f /root/terminal
    { until_true grep -q Password /root/terminal; echo "$password"; sleep 0.3; } | on_terminal "$@"
}
no_agent() {
    ! pgrep -x pkttyagent
}
ok 'asked on the terminal' answered 'open sesame' streamctl --system target add asked tcp:127.0.0.1:5
ok 'for the target' grep -q 'which local addresses' /root/terminal
ok 'the agent has gone' until_true no_agent
ok 'and it was done' says asked streamctl --system target list
ok 'a wrong password' fails 5 answered 'open barley' streamctl --system target add wrong tcp:127.0.0.1:5
ok 'is told so' grep -q 'AUTHENTICATION FAILED' /root/terminal
ok 'was none' refused says wrong streamctl --system target list
rm -f /root/terminal
ok '--no-ask-password' fails 5 on_terminal streamctl --system --no-ask-password target add n tcp:127.0.0.1:5
ok 'asks nobody' refused grep -q Password /root/terminal
ok 'reading asks nobody' on_terminal streamctl --system target list
ok 'nor is there an agent' refused grep -q AUTHENTICATING /root/terminal

# One hub for a user, one for a group, one for whomever polkit lets.
cat >/root/key <<'X'
HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0
X
mkdir -p /etc/streamd
install -m 600 -o streamd /root/key /etc/streamd/key
for who in alice @streamers ''; do
    printf '[hub for-%s]\nConnectionStringFile=/etc/streamd/key\nAllowedUsers=%s\n' \
        "${who#@}" "$who"
done | sed 's/for-]/for-all]/' >/etc/streamd/streamd.conf
cat >/etc/polkit-1/rules.d/50-tunnels.rules <<'RULE'
polkit.addRule(function(action, subject) {
    if (action.id == "io.streamd.streamd1.open-tunnel" && action.lookup("device") == "dev1")
        return polkit.Result.YES;
});
RULE
systemctl restart polkit
ok 'the configuration is good' systemctl reload-or-restart streamd
# tunnel USER HUB DEVICE
tunnel() {
    as "$1" streamctl --system tunnel open --background --hub "$2" "$3" ssh
}
ok 'the user of the list' tunnel alice for-alice dev1
ok 'a user that is not' fails 5 tunnel olga for-alice dev1
ok 'is told why' says 'not among the allowed users' tunnel olga for-alice dev1
ok 'the group of the list' tunnel olga for-streamers dev1
ok 'a user without it' fails 5 tunnel alice for-streamers dev1
ok 'no list' tunnel alice for-all dev1
ok 'polkit has the last word' fails 5 tunnel alice for-all dev2
ok 'root needs neither' tunnel root for-alice dev2
plan

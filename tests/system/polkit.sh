# SPDX-License-Identifier: LGPL-2.1-or-later
# Who may do what on the system's streamd, with the real polkit and logind: nobody without being
# asked for, a group by a rule, anybody with an administrator's password, who sits at the machine.
. /test-lib/lib.sh

target() {
    local user=$1
    shift
    as "$user" streamctl --system target "$@"
}
systemctl start streamd
ok 'root is not asked about' streamctl --system target add root tcp:127.0.0.1:1
ok 'alice is refused' fails 5 target alice add hers tcp:127.0.0.1:2
ok 'and with an address that is none' fails 5 target alice add hers nonsense
ok 'and so is nobody' fails 5 as nobody streamctl --system target add his tcp:127.0.0.1:2
ok 'nothing has changed' refused says hers streamctl --system target list

polkit_allows 'action.id == "io.streamd.streamd1.manage-targets" &&
    (subject.isInGroup("streamers") || (subject.active && subject.local))'
systemctl restart polkit
ok 'a group by a rule' target olga add group tcp:127.0.0.1:3
ok 'only what the rule says' fails 5 as olga streamctl --system accept-policy set-default accept
ok 'only that group' fails 5 target alice add hers tcp:127.0.0.1:4

# At a terminal of a session streamctl brings an agent, which asks for ada's password: she is the
# only administrator. (Outside of sessions polkit 122 does not ask fallback agents.)
cat >/root/asked.sh <<'X'
exec systemd-run -q --pty --wait --collect -p User=alice -p PAMName=login -E TERM=dumb -- \
    streamctl --system target add asked tcp:127.0.0.1:5
X
with_password() {
    { until_true grep -q assword /root/terminal; echo "$1"; sleep 0.3; } |
        timeout 15 script -qefc 'sh /root/asked.sh' /root/terminal
}
ok 'a wrong password' fails 5 with_password 'open barley'
ok 'is none' grep -q 'AUTHENTICATION FAILED' /root/terminal
rm /root/terminal
ok "an administrator's password" with_password 'open sesame'
ok 'was asked for' grep -q 'AUTHENTICATION COMPLETE' /root/terminal
ok 'no agent is left' refused pgrep pkttyagent
ok 'and did it' says asked streamctl --system target list

# in_session SEAT COMMAND...: as alice, in a session of logind's.
in_session() {
    local seat=$1
    shift
    systemd-run -q --wait --pipe --collect -p User=alice -p PAMName=login ${seat:+-E XDG_SEAT=$seat} \
        -- "$@"
}
ok 'who sits at the machine' in_session seat0 streamctl --system target add seat tcp:127.0.0.1:6
ok 'not who came otherwise' fails 5 in_session '' streamctl --system target add other tcp:127.0.0.1:7
# What an app exports for streamd may be called by streamd, and by nobody else.
as alice gdbus monitor --system --dest org.freedesktop.DBus >/dev/null 2>&1 &
app() {
    busctl --system list --no-legend | awk '$3 == "gdbus" { print $1 }'
}
until_true says : app >/dev/null
cancel() {
    runuser -u "$1" -- busctl --system call "$(app)" / io.streamd.Streamd1.Agent Cancel
}
ok 'streamd reaches the agent of an app' says 'No such|[Uu]nknown|does ?n.t exist' cancel streamd
ok 'bob does not' says 'Access denied|AccessDenied|not allowed' cancel bob
kill $! 2>/dev/null

ok 'what was allowed is there' says 'group.*root.*seat' streamctl --system target list
plan

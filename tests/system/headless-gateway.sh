# SPDX-License-Identifier: LGPL-2.1-or-later
# A gateway where nobody sits and no session is: people come by ssh, su and sudo, jobs by cron. Each
# finds the streamd that is there, one's own or the machine's, and no hint leads to a second one. Nobody
# can be asked for consent until somebody has the right to answer from afar.
. /test-lib/lib.sh

exec 3>&1 >/dev/null 2>&1
start_hub
systemctl start streamd
hub device add gw-1
join_hub office device gw-1 streamctl --system
join_hub ops user service streamctl --system
start_echo
streamctl --system target add echo tcp:127.0.0.1:7007
streamctl --system accept-policy add --stream door --ask=echo

# Two doors: one with PAM, which gives a session, and one without.
mkdir -p /run/sshd
for kind in key host; do ssh-keygen -q -t ed25519 -N '' -f /root/$kind; done
for user in alice bob; do
    install -d -o $user -m 700 /home/$user/.ssh
    install -o $user -m 600 /root/key.pub /home/$user/.ssh/authorized_keys
done
for pam in yes no; do
    port=2222
    [[ $pam == yes ]] || port=2223
    printf 'ListenAddress 127.0.0.1:%s\nHostKey /root/host\nPidFile none\nUsePAM %s\n' $port $pam >/root/sshd-$pam
    systemd-run -q --unit=sshd-$pam /usr/sbin/sshd -D -f /root/sshd-$pam
    until_true bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
done
# alice has a streamd of her own, which runs without her; bob has none.
start_manager alice
with_bus alice streamctl --user target add hers tcp:127.0.0.1:1
until_true says Connected hub device show gw-1
exec >&3 2>&1 3>&-

by_ssh() { # USER WORDS...
    ssh -p 2222 -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
        "$1@127.0.0.1" "${@:2}" </dev/null
}
by_bare_ssh() {
    ssh -p 2223 -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
        "$1@127.0.0.1" "${@:2}" </dev/null
}
# one's own streamd, by each way in
hers='streamctl --user target list'
ok 'ssh' says hers by_ssh alice $hers
ok 'ssh without PAM' says hers by_bare_ssh alice $hers
ok 'which has no session' refused says XDG_RUNTIME_DIR by_bare_ssh alice env
ok 'su' says hers env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS su alice -c "$hers"
ok 'su -' says hers su - alice -c "$hers"
left=(env XDG_RUNTIME_DIR=/run/user/0 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus)
ok 'su, with what another user left' says hers "${left[@]}" su alice -c "$hers"
ok 'sudo -u' says hers sudo -u alice $hers
ok 'sudo, with what another user left' says hers "${left[@]}" sudo --preserve-env=XDG_RUNTIME_DIR,DBUS_SESSION_BUS_ADDRESS \
    -u alice $hers

# cron runs @reboot when it starts.
mkdir -p /etc/cron.d
rm -f /etc/cron.d/* /run/crond.reboot
for user in alice bob; do
    printf '@reboot %s streamctl --user target list >/home/%s/cron 2>&1; env >/home/%s/env; touch /home/%s/ran\n' \
        $user $user $user $user
done >/etc/cron.d/streams
ok 'cron' systemd-run -q --unit=test-cron /usr/sbin/cron -f
ok "cron runs alice's job" until_true test -e /home/alice/ran
ok 'without a session' refused grep XDG_RUNTIME_DIR /home/alice/env
ok 'and it found hers' grep hers /home/alice/cron
ok "cron runs bob's job" until_true test -e /home/bob/ran
ok 'which is told of the streamd that there is' grep -q "The machine's does: --system" /home/bob/cron
ok 'and not to start another one' refused grep -E 'enable|start|streamd --user' /home/bob/cron
ok 'ssh without PAM: the same' says "The machine's does: --system" by_bare_ssh bob streamctl --user status
ok 'nobody has started one' refused pgrep -u bob streamd
ok 'and with --system it is there' says 'office.*connected' by_bare_ssh bob streamctl --system hub list

# What needs a right: who may is told, and a terminal asks.
refused_with() { # FILE USER WORDS...
    local said code=0
    said=$(by_ssh "${@:2}" 2>&1) || code=$?
    [[ $code -eq 5 && $said == *"examples/polkit/$1"* ]] || { echo "$code: $said"; return 1; }
}
ok 'over ssh: a tunnel' refused_with open-tunnels.rules bob streamctl --system tunnel open gw-1 door
ok 'over ssh: a hub' refused_with manage-hubs.rules bob streamctl --system hub disconnect office
ok "over ssh: alice's own is named" says 'Your own streamd runs, too, and asks nobody: --user' \
    by_ssh alice streamctl --system target add mine tcp:127.0.0.1:1
ok 'doctor goes as far as it may' says 'Credentials +ok.*Target +skipped +you may not see it' \
    by_ssh bob streamctl --system doctor --hub office
on_terminal() {
    rm -f /root/terminal
    { until_true grep -q Password /root/terminal; echo 'open sesame'; sleep 0.5; } |
        timeout 15 ssh -tt -p 2222 -i /root/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null bob@127.0.0.1 \
            "$*" >/root/terminal 2>&1
}
ok "on a terminal an administrator's password is asked for" on_terminal streamctl --system hub disconnect ops
ok 'for the hub that is meant' grep -q 'manage the hub ops' /root/terminal
streamctl --system hub connect ops >/dev/null

# A stream that asks for consent.
knock() {
    echo hello | timeout 30 streamctl --system connect gw-1 door --timeout 20 >/root/"$1" 2>/root/"$1".error
}
ok 'nobody can be asked' fails 12 knock none
ok 'which the initiator reads' grep -q 'no agent on the device can be asked' /root/none.error
ok 'nor may alice answer from afar' refused_with answer-requests.rules alice streamctl --system agent
mkdir -p /etc/polkit-1/rules.d
sed 's/"ann"/"alice"/' /usr/share/doc/streamd/examples/polkit/answer-requests.rules >/etc/polkit-1/rules.d/50-streamd-answer.rules
systemctl restart polkit
mkfifo /root/answers
ssh -p 2222 -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null alice@127.0.0.1 \
    streamctl --system agent <>/root/answers >/root/agent 2>&1 &
agent=$!
ok 'with a rule she does' until_true grep -q 'Waiting for streams' /root/agent
knock first &
first=$!
ok 'she is asked' until_true grep -q 'asks at the hub office for the stream door' /root/agent
echo y >/root/answers
wait $first
ok 'and lets it in' is hello cat /root/first
ok 'bob still may not' refused_with answer-requests.rules bob streamctl --system request list
kill $agent

# The machine's is down: the hint is about its unit.
systemctl stop streamd
by_unit() {
    local said code=0
    said=$(by_bare_ssh "$1" streamctl --system status 2>&1) || code=$?
    [[ $code -eq 3 && $said == *'systemctl status streamd'* && $said != *--user* ]] || { echo "$code: $said"; return 1; }
}
ok 'with --system the hint is about the unit' by_unit bob
ok 'also for whoever has a streamd of her own' by_unit alice
plan

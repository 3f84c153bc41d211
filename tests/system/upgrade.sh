# SPDX-License-Identifier: LGPL-2.1-or-later
# A machine that is hub, gateway (its streamd) and client (alice's) is installed from 0.1.0, upgraded
# under a stream, gets more of everything, and goes back; then again, the other way that the page has. 0.2
# comes by its ./install, or from packages where there are some.
. /test-lib/lib.sh
export CCACHE_DIR=/shared/ccache CC="ccache gcc"
command -v ccache >/dev/null || unset CC

alice() {
    with_bus alice "$@"
}
ctl() { # alice's
    alice streamctl --user "$@"
}
block() {
    python3 /test-lib/page.py /shared/0.2/docs/upgrade.md "$1"
}
# page NAME: that block is run, as root.
page() {
    (cd /root && bash -euo pipefail -c "$(block "$1")") 2>&1
}
# for_alice NAME: the same block for a user's streamd, whose state is in the home.
for_alice() {
    local text
    text=$(block "$1")
    text=${text//'/var/lib/streamd'/'/home/alice/.local/state/streamd'}
    text=${text//'/root/streamd-before'/'/home/alice/streamd-before'}
    text=${text//systemctl/systemctl --user}
    alice bash -euo pipefail -c "$text" 2>&1
}
# What came in the other way goes first: files of ./install, or packages.
by=./install
[[ ! -d /shared/packages ]] || by=packages
is_packaged() {
    dpkg-query -S /usr/bin/streamd /usr/bin/streamhub >/dev/null 2>&1
}
installs() {
    if [[ $1 == 0.2 && $by == packages ]]; then
        ninja -C /shared/0.1.0/build/install uninstall && apt-get -q -y -o Dpkg::Options::=--force-confold install \
            /shared/packages/{streamhub,streamd,streamd-common}_*.deb && is_packaged
        return
    fi
    ! is_packaged || page packages-back || return
    (cd "/shared/$1" && ./install --no-packages) 2>&1 && refused is_packaged
}
state_of_hub() { # where this version has it
    if [[ -d /var/lib/private/streamhub ]]; then echo /var/lib/private/streamhub; else echo /var/lib/streamhub; fi
}
versions_are() {
    is "$1" bash -c 'for p in streamd streamhub streamctl; do $p --version | grep -o "[0-9.]*" | head -n 1; done | sort -u'
}
well() {
    systemctl reset-failed 'echo@*' # whose connections were cut
    is '' systemctl list-units --failed --plain --no-legend && systemctl -q is-active streamhub streamd
}
connected() {
    [[ $(streamctl --system --json hub list | grep -c '"connected"') -eq 1 ]] &&
        [[ $(ctl --json hub list | grep -c '"connected"') -eq 1 ]]
}
echoes() { # PORT
    # shellcheck disable=SC2016 # the inner shell's
    is hello alice timeout 10 bash -c 'exec 3<>/dev/tcp/127.0.0.1/$0; echo hello >&3; head -n 1 <&3' "$1"
}
works() {
    until_true connected && until_true echoes "$port" && until_true echoes "$other_port"
}

# What is compared: the registry and its keys, what both streamd list, the files of each with their modes,
# and what was written in /etc.
keep() {
    local to=/root/kept-$1
    mkdir -p "$to"
    python3 /shared/upgrade.py registry "$(state_of_hub)/registry.sqlite" >"$to/registry"
    (cd "$(state_of_hub)" && sha256sum ca.pem ca-key.pem server.pem server-key.pem) >"$to/authority"
    python3 /shared/upgrade.py streamctl streamctl --system >"$to/gateway"
    with_bus alice python3 /shared/upgrade.py streamctl streamctl --user >"$to/client"
    (cd /var/lib/streamd && find . -name '*.v3' -prune -o -name secrets.d -prune -o -printf '%p %u %m\n' | sort) >"$to/modes"
    sha256sum /etc/streamd/streamd.conf /etc/streamd/streamhub.conf >"$to/etc"
    find "$(state_of_hub)" -type f -perm /077 -name '*key*' >"$to/open"
}
# The same as in the first.
kept() {
    diff -ru /root/kept-first "/root/kept-$1"
}
credentials() {
    local id
    for id in gw-1 spare old late; do streamhub connection-string device $id; done
    streamhub connection-string device gw-1 --module pump
    for id in service reader; do streamhub connection-string policy $id; done
}

# -- 0.1.0 -------------------------------------------------------------------------------------------

ok '0.1.0: ./install' installs 0.1.0
ok '0.1.0 it is' versions_are 0.1.0
start_echo
start_manager alice
streamhub init --host-name localhost >/dev/null
install -D -m 644 /dev/stdin /etc/streamd/streamhub.conf <<<$'[hub]\nstreams-per-device = 77'
printf '[target of-the-file]\nAddress=tcp:127.0.0.1:7007\n' >/etc/streamd/streamd.conf
install -m 644 /var/lib/streamhub/ca.pem /etc/streamd/ca.pem
ok 'the hub starts' systemctl enable --now streamhub
ok 'as 0.1.0 has it, below private' test -d /var/lib/private/streamhub
for id in gw-1 spare old; do streamhub device add $id >/dev/null; done
streamhub device add gw-1 --module pump >/dev/null
streamhub device disable old >/dev/null
streamhub policy add reader --rights registry-read,registry-write >/dev/null
(cd /root && streamhub invite device late >/dev/null) # its file is used later
systemctl enable --now streamd
streamhub connection-string device gw-1 |
    streamctl --system hub add office --connection-string-file - --ca /etc/streamd/ca.pem
streamctl --system target add echo tcp:127.0.0.1:7007 --max-streams 20
streamctl --system accept-policy add --stream 'x-*' --reject 'not these' >/dev/null
streamctl --system accept-policy add --stream echo --accept echo --max-duration 10h >/dev/null
streamctl --system accept-policy set-default reject 'nothing else'
alice systemctl --user -q enable --now streamd
streamhub connection-string policy service |
    ctl hub add office --connection-string-file - --ca /etc/streamd/ca.pem
ctl target add mine tcp:127.0.0.1:7007
until_true connected
port=$(ctl tunnel open gw-1 echo --background | grep -o '[0-9]*$' | head -n 1)
other_port=$(ctl tunnel open gw-1 echo --background | grep -o '[0-9]*$' | head -n 1)
ok 'streams run' works
credentials >/root/credentials
keep first

# -- upgrade under a stream --------------------------------------------------------------------------

flow() {
    install -d -o alice /run/flow
    rm -f /run/flow/*
    as alice python3 /test-lib/flow.py "$port" /run/flow/count >/run/flow.said 2>&1 &
    flowing=$!
}
moves() {
    local before
    before=$(cat /run/flow/count 2>/dev/null || echo 0)
    more() { [[ $(cat /run/flow/count 2>/dev/null || echo 0) -gt $before ]]; }
    until_true more
}
ended() {
    ! kill -0 $flowing 2>/dev/null
}
flow
ok 'bytes flow' moves
ok 'the copies: hub' page hub-before
ok 'gateway' page gateway-before
ok 'client' for_alice gateway-before
ok "0.2: $by" installs 0.2
ok '0.2 it is' refused versions_are 0.1.0
ok 'bytes flow on, in the programs that run' moves
ok 'files of /etc are as they were' sha256sum -c --quiet /root/kept-first/etc
ok 'the hub restarts' page hub-restart
ok 'which ends the stream' until_true ended
ok 'its folder is where 0.2 has it' is 'streamhub 700' stat -c '%U %a' /var/lib/streamhub
ok 'the key of the authority is root'"'"'s' is 'root 600' stat -c '%U %a' /var/lib/streamhub/ca-key.pem
ok 'the hub of 0.2, streamd of 0.1.0 on both sides' works
flow
ok 'bytes flow' moves
ok 'the gateway restarts' page gateway-restart
ok 'which ends the stream' until_true ended
ok 'a client of 0.1.0' works
ok 'the client restarts' for_alice gateway-restart
ok 'all of 0.2' works
ok 'every credential is the same' is "$(</root/credentials)" credentials
ok 'the device that was disabled still is' says disabled streamhub device show old
ok 'rules, targets and tunnels are there' says "echo.*of-the-file|of-the-file.*echo" bash -c 'streamctl --system --no-legend target list | tr "\n" " "'
ok 'nothing has failed' well

# -- what comes later --------------------------------------------------------------------------------

later() {
    streamhub device add new >/dev/null
    streamhub user add newcomer --rights service-connect >/dev/null
    streamhub device set gw-1 --tag site=berlin >/dev/null
    streamhub device remove spare >/dev/null
    (cd /root && streamhub invite device invited --output /root/invited.invite >/dev/null)
    streamctl --system target add new tcp:127.0.0.1:9 >/dev/null
    streamctl --system accept-policy add --stream new --accept new >/dev/null
    ctl target add new tcp:127.0.0.1:9 >/dev/null
    ctl tunnel open gw-1 echo --background >/dev/null
}
ok 'more of everything' later
ok 'the state has the form of 0.2' test -e /var/lib/streamd/state.v3
ok 'what came later is listed: a device' says 'device new' streamhub backup --since-upgrade
ok 'a user' says 'newcomer' streamhub backup --since-upgrade
ok 'an invitation' says 'invited' streamhub backup --since-upgrade
ok 'what was removed' says 'spare' streamhub backup --since-upgrade
ok 'and nothing of before' refused says 'reader|pump|late' streamhub backup --since-upgrade

# -- the way back ------------------------------------------------------------------------------------

back_with() { # PAGE-OF-THE-GATEWAY
    ok "$1: streamd stops" page "$1"
    ok "$1: and alice's" for_alice "$1"
    ok "$1: 0.1.0: ./install" installs 0.1.0
    ok "$1: the hub starts" systemctl start streamhub
    ok "$1: streamd starts" systemctl start streamd
    ok "$1: alice's starts" alice systemctl --user start streamd
    ok "$1: 0.1.0 it is" versions_are 0.1.0
    ok "$1: its hub has a user of its own for as long as it runs" is private basename "$(dirname "$(state_of_hub)")"
    ok "$1: streams run" works
    ok "$1: nothing has failed" well
    keep "$1"
    ok "$1: nothing is lost, and nothing is more" kept "$1"
    ok "$1: every credential is the same" is "$(</root/credentials)" credentials
}
ok 'the hub goes back' page hub-back
back_with gateway-back

# Again, with what the hub's page has beside it.
ok "again: 0.2: $by" installs 0.2
ok 'again: the hub restarts' page hub-restart
ok 'again: the gateway restarts' page gateway-restart
ok 'again: the client restarts' for_alice gateway-restart
ok 'again: streams run' works
ok 'again: the same credentials' is "$(</root/credentials)" credentials
ok 'again: more of everything' later
ok 'again: the hub stops' systemctl stop streamhub.socket streamhub-mqtts.socket streamhub
mv /var/lib/streamhub/registry.sqlite.v1 /root/
restores() {
    installs 0.1.0 >/dev/null && streamhub restore /root/before.backup
}
ok 'again: the backup, by 0.1.0' restores
back_with gateway-back-kept
plan

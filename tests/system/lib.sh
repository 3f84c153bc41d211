# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# For the scripts of the machines: TAP, and words that several of them use.
set -u

tests=${tests:-0} failures=${failures:-0} # a script that another one reads goes on with its numbers

# ok WHAT COMMAND...: one case; what the command says is shown when it fails.
ok() {
    local what=$1 said
    shift
    tests=$((tests + 1))
    if said=$("$@" 2>&1); then
        echo "ok $tests - $what"
    else
        echo "not ok $tests - $what"
        printf '%s\n' "\$ $*" "$said" | sed 's/^/# /'
        failures=$((failures + 1))
    fi
}

# Ends the script; the last line of every one.
plan() {
    echo "1..$tests"
    exit $((failures > 0))
}

# is WANTED COMMAND...: the command prints exactly that.
is() {
    local wanted=$1 got
    shift
    got=$("$@" 2>&1)
    [[ $got == "$wanted" ]] || { echo "want: $wanted"; echo "got:  $got"; return 1; }
}

# says PATTERN COMMAND...: the command prints it somewhere, whatever its status.
says() {
    local pattern=$1 got
    shift
    got=$("$@" 2>&1)
    [[ $got =~ $pattern ]] || { echo "no /$pattern/ in: $got"; return 1; }
}

# fails STATUS COMMAND...
fails() {
    local wanted=$1 got=0 said
    shift
    said=$("$@" 2>&1) || got=$?
    [[ $got -eq $wanted ]] || { echo "status $got instead of $wanted: $said"; return 1; }
}

refused() {
    ! "$@"
}

# until_true COMMAND...: within ten seconds.
until_true() {
    local try
    for ((try = 0; try < 500; try++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.02
    done
    echo "never: $*"
    "$@"
}

property() {
    systemctl show -P "$2" "$1"
}

# as USER COMMAND...: with a bare environment.
as() {
    local user=$1
    shift
    runuser -u "$user" -- env -i PATH=/usr/bin:/bin HOME="/home/$user" "$@"
}

# drop_in UNIT NAME: standard input becomes a drop-in.
drop_in() {
    mkdir -p "/etc/systemd/system/$1.d"
    cat >"/etc/systemd/system/$1.d/$2.conf"
    systemctl daemon-reload
}

# with_bus USER COMMAND...: with that user's own bus, which start_manager brings.
with_bus() {
    local user=$1 run
    shift
    run=/run/user/$(id -u "$user")
    as "$user" XDG_RUNTIME_DIR="$run" DBUS_SESSION_BUS_ADDRESS="unix:path=$run/bus" "$@"
}

start_manager() {
    loginctl enable-linger "$1"
    systemctl start "user@$(id -u "$1")"
}

# polkit_allows CONDITION: polkit says yes where this JavaScript about action and subject is true.
polkit_allows() {
    mkdir -p /etc/polkit-1/rules.d
    cat >/etc/polkit-1/rules.d/50-test.rules <<RULE
polkit.addRule(function(action, subject) {
    if ($1)
        return polkit.Result.YES;
});
RULE
}

hub() {
    streamhub --state-dir /var/lib/streamhub "$@"
}

# This machine's own hub, whose CA streamd may read.
start_hub() {
    hub init --host-name localhost
    systemctl start streamhub
    install -D -m 644 /var/lib/streamhub/ca.pem /etc/streamd/ca.pem
}

# join_hub HUB KIND NAME STREAMCTL...: that streamctl's streamd gets what `hub connection-string KIND NAME`
# says, for a hub that it calls HUB.
join_hub() {
    hub connection-string "$2" "$3" |
        "${@:4}" hub add "$1" --connection-string-file - --ca /etc/streamd/ca.pem
}

# A service on port 7007 of the loopback that sends back what it gets.
start_echo() {
    printf '[Socket]\nListenStream=127.0.0.1:7007\nAccept=yes\n' >/etc/systemd/system/echo.socket
    printf '[Service]\nExecStart=/bin/cat\nStandardInput=socket\n' >/etc/systemd/system/echo@.service
    systemctl start echo.socket
}

# tap USER: what `tapped USER` says to the bus of the system, and hears, is kept in the file traffic in
# the home of that user, for whom two programs listen to everything that the bus gives them.
tap() {
    local home=/home/$1
    runuser -u "$1" -- /usr/bin/python3 /test-lib/bus-tap.py "$home/bus" "$home/traffic" >/dev/null 2>&1 &
    until_true test -S "$home/bus"
    tapped "$1" gdbus monitor --system --dest io.streamd.Streamd1 >"$home/gdbus" 2>&1 &
    tapped "$1" streamctl --system monitor >"$home/monitor" 2>&1 &
}
# tapped USER COMMAND...
tapped() {
    as "$1" DBUS_SYSTEM_BUS_ADDRESS="unix:path=/home/$1/bus" timeout 20 "${@:2}"
}
# call USER PATH INTERFACE METHOD...: of streamd's, tapped.
call() {
    tapped "$1" busctl --system call io.streamd.Streamd1 "${@:2}"
}

# session USER [SEAT]: one of logind's, in which in_session runs commands.
session() {
    local home=/home/$1
    mkfifo -m 666 "$home/do" "$home/done"
    systemd-run -q --collect -p User="$1" -p PAMName=login ${2:+-E XDG_SEAT=$2} -- \
        sh -c "while read -r line <$home/do; do sh -c \"\$line\" >$home/said 2>&1; echo \$? >$home/done; done"
}
in_session() {
    local home=/home/$1 status
    shift
    printf '%s\n' "$*" >"$home/do"
    read -r status <"$home/done"
    cat "$home/said"
    return "$status"
}
# What logind says of the sessions of a user: active, online (in the background), ...
state_of() {
    loginctl show-user "$1" -p State --value
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# For the scripts of the machines: TAP, and words that several of them use.
set -u

tests=0 failures=0

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

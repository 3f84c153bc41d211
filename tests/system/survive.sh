# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# For the machines of the streams that survive: what the test types reaches the machine on which it is
# meant to run.

# obey MACHINE: runs what is typed there, line by line, until the test ends.
obey() {
    local line status
    mkfifo "/shared/$1.typed" "/shared/$1.status"
    exec 3<>"/shared/$1.typed"
    done_with "$1"
    until [[ -e /shared/stop ]]; do
        read -r -t 1 -u 3 line || continue
        status=0
        bash -c "$line" >"/shared/$1.said" 2>&1 </dev/null 3<&- || status=$?
        echo $status >"/shared/$1.status"
    done
}

# silent MACHINE-FACING: nothing goes in or out any more, and nobody is told: as without a network.
network_goes() {
    nft 'add table inet away; add chain inet away in { type filter hook input priority -10; policy accept; };
        add chain inet away out { type filter hook output priority -10; policy accept; };
        add rule inet away in iifname eth0 drop; add rule inet away out oifname eth0 drop'
}
network_comes() {
    nft delete table inet away
}

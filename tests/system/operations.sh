# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# For the machines of the operations: one file with the names of all, in the place of a DNS; and what
# the operator types reaches the machine on which it is meant to run.
. /test-lib/fleet.sh

ln -sf /shared/hosts /etc/hosts
gateways=$(</shared/gateways) # of each site

# obey MACHINE: runs what is typed there, line by line, until the test ends.
obey() {
    local line='' part status
    mkfifo "/shared/$1.typed" "/shared/$1.status"
    exec 3<>"/shared/$1.typed"
    done_with "$1"
    until [[ -e /shared/stop ]]; do
        status=0
        read -r -t 1 -u 3 part || status=$?
        line+=$part # a second may be over in the middle of a line
        [[ $status -eq 0 ]] || continue
        bash -c "$line" >"/shared/$1.said" 2>&1 </dev/null 3<&- || status=$?
        echo $status >"/shared/$1.status"
        line=''
    done
}

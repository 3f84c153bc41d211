# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# For the machines of the fleet: how they wait for each other, and where the hub is.

echo '10.9.0.1 hub.example' >>/etc/hosts

done_with() {
    touch "/shared/$1.done"
}

# wait_for WHAT [SECONDS]: within twenty seconds, or what is said; nothing waits for a machine that has failed.
wait_for() {
    local try
    for ((try = 0; try < ${2:-20} * 50; try++)); do
        [[ ! -e /shared/$1.done ]] || return 0
        [[ ! -e /shared/stop ]] || { echo 'Bail out! another machine has ended'; exit 1; }
        sleep 0.02
    done
    echo "never done: $1"
    return 1
}

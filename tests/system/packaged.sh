# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# For the machines of the stranger who installs packages: what dpkg does with them afterwards.
debs=/root/packages

apt_yes() {
    apt-get -q -y -o Dpkg::Options::=--force-confdef "$@"
}

# count_packages: those of this machine, before ours are installed.
count_packages() {
    dpkg-query -W -f '${Package} ${Installed-Size}\n' | sort >/tmp/before
}

# figures WHAT PROGRAM...: of a machine on which the packages were just installed, a line each for the
# table: what came with them, the commands of the README there, and the programs, which are stripped.
figures() {
    local what=$1 program commands
    shift
    dpkg-query -W -f '${Package} ${Installed-Size}\n' | sort >/tmp/after
    commands=$(cat /shared/steps/*-"$what"-* 2>/dev/null | grep -vc -e '^ *$' -e '^#' -e '^ .*\\$')
    {
        [[ $commands -eq 0 ]] || echo "$what:_commands $commands"
        comm -13 /tmp/before /tmp/after | awk -v what="$what" '
            { packages++; all += $2 }
            /^stream/ { ours += $2 }
            END {
                printf "%s:_packages %d\n%s:_MB %.1f\n", what, packages, what, all / 1024
                printf "%s:_MB_of_ours %.1f\n", what, ours / 1024
            }'
        for program in "$@"; do
            echo "stripped:_${program##*/}_KB $(($(stat -c %s "$program") / 1024))"
        done
    } >>/shared/figures
}

main_pid() {
    systemctl show -P MainPID "$1"
}

# restarted UNIT: systemd was asked for a restart.
restarted() {
    says . journalctl -q -o cat -u "$1" JOB_TYPE=restart
}

packages_of_the_gateway() {
    local before
    figures gateway /usr/bin/streamd /usr/bin/streamctl
    ok 'the daemon of users is not enabled' refused test -e /etc/systemd/user/default.target.wants/streamd.service
    echo '# mine' >>/etc/ssh/ssh_config.d/20-streamd.conf
    before=$(main_pid streamd)
    ok 'installed over itself' apt_yes install --reinstall $debs/streamd_*.deb
    ok 'it runs' is active systemctl is-active streamd
    ok 'it is another one' refused test "$(main_pid streamd)" = "$before"
    # With a restart, systemd keeps what streamd has given it for the next one.
    ok 'by one restart, not by a stop and a start' until_true restarted streamd
    ok 'the changed file is kept' says '# mine' cat /etc/ssh/ssh_config.d/20-streamd.conf
    ok 'removed' apt_yes remove streamd
    ok 'no streamd runs' refused pgrep -x streamd
    ok 'its state is kept' says . ls /var/lib/streamd
    ok 'installed again' apt_yes install $debs/streamd_*.deb
    ok 'it runs, as it was enabled' is active systemctl is-active streamd
    ok 'it has its hub' says office streamctl hub list
    ok 'purged' apt_yes purge streamd
    ok 'its state is gone' refused test -e /var/lib/streamd
    ok 'what ssh reads is gone' refused test -e /etc/ssh/ssh_config.d/20-streamd.conf
    mkdir -p /etc/streamd
    touch /etc/streamd/streamd.conf
    ln -s /usr/lib/streamd/ssh_config.d/20-streamd.conf /etc/ssh/ssh_config.d/ # which ./install leaves
    ok 'installed where a configuration lies' apt_yes install $debs/streamd_*.deb
    ok 'it runs at once' is active systemctl is-active streamd
    ok 'the link of ./install made room' is 'regular file' stat -c %F /etc/ssh/ssh_config.d/20-streamd.conf
}

packages_of_the_hub() {
    local before
    figures hub /usr/bin/streamhub /usr/libexec/streamhubd /usr/libexec/streamhub-push
    echo 'penalty = 7' >>/etc/streamd/streamhub.conf
    before=$(main_pid streamhub)
    ok 'installed over itself' apt_yes install --reinstall $debs/streamhub_*.deb
    ok 'it runs' is active systemctl is-active streamhub
    ok 'it is another one' refused test "$(main_pid streamhub)" = "$before"
    ok 'by one restart' until_true restarted streamhub
    ok 'its settings are kept' says 'penalty = 7' cat /etc/streamd/streamhub.conf
    mkdir -p /var/lib/streamhub-push
    ok 'purged, it says what it kept' says 'Kept: /var/lib/streamhub' apt_yes purge streamhub
    ok 'no hub runs' refused pgrep -x streamhubd
    ok 'the registry is there' says . ls /var/lib/streamhub
    ok 'the position of the push is not' refused test -e /var/lib/streamhub-push
}

packages_of_the_laptop() {
    ok 'the packages were tried on the gateway' wait_for gateway-packages 120
    ok 'and on the hub' wait_for hub-packages 120
    figures laptop
    ok 'the system has no streamd that nobody enabled' is inactive systemctl is-active streamd
    # As a hub of 0.1 runs, which a package finds after ./install.
    systemd-run -q --unit=old-hub -p DynamicUser=yes -p User=streamhub sleep infinity
    ok 'a dynamic user has the name of the hub' until_true getent passwd streamhub
    ok 'the hub beside it' apt_yes install $debs/streamhub_*.deb
    ok 'which has its own user' grep -q '^streamhub:' /etc/passwd
    systemctl stop old-hub
    ok 'which is not started' is inactive systemctl is-active streamhub
}

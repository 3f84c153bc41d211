# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# For the machines of the stranger: whoever reads the README and types what it says, from /root or
# a home. What is here beforehand are Debian's packages, a name for the hub, and people.
. /test-lib/fleet.sh
. /test-lib/lib.sh

echo '10.9.0.1 hub.example.org' >>/etc/hosts
cp -r /etc/skel/. /home/ada/ 2>/dev/null

# The README's clone; all machines share it, so it is built once.
ln -s /shared/streamd /root/streamd
# Or the packages, which whoever asks for them has copied.
if [[ -d /shared/packages ]]; then
    . /test-lib/packaged.sh
    cp -r /shared/packages /root/packages
    echo 'APT::Get::Assume-Yes "yes";' >/etc/apt/apt.conf.d/yes
    count_packages
fi

# steps MACHINE FIRST LAST: what the README says there to root, word for word.
steps() {
    local step folder=/root
    for step in /shared/steps/*-"$1"-root; do
        [[ $step > /shared/steps/$2 && $step < /shared/steps/$3 ]] || continue
        grep -qx './install' "$step" && folder=/root/streamd
        grep -q 'apt install \./' "$step" && folder=/root/packages
        ok "$1, as root: $(paste -sd ';' "$step" | cut -c -160)" in_folder "$folder" bash -e "$step"
        folder=/root
    done
}

in_folder() {
    cd "$1" && shift && env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS "$@"
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A machine with a screen, which has nothing of ours but packages: the desktop app is installed, Debian's
# autopkgtest runs debian/tests, and then somebody sits there (desktop-session.sh).
. /test-lib/lib.sh
. /test-lib/packaged.sh

cp -r /shared/packages /root/packages
cd /root/packages || exit 1
count_packages
ok 'the desktop app' apt_yes install ./streamd-desktop_*.deb ./streamd_*.deb ./streamd-common_*.deb
figures desktop /usr/bin/streamd-desktop
ok 'nothing of it runs' is inactive systemctl is-active streamd
# shellcheck disable=SC2046 # a word for each
ok "what looks at it, and Debian's autopkgtest" apt_yes --no-install-recommends install $(</shared/tools)

# On this machine itself, which is what the server "null" is for; it installs the hub and the manual.
ok 'autopkgtest of debian/tests' autopkgtest --output-dir=/out/autopkgtest --no-built-binaries \
    ./*.deb /shared/source/ -- null
ok 'one test passed, and it is ours' is 'stream PASS' awk '{ $1 = $1; print }' /out/autopkgtest/summary
ok 'it sent its bytes' grep -q '1 MB there and back through the hub' /out/autopkgtest/stream-stdout
ok 'and left nothing that runs' refused pgrep -x 'streamd|streamhubd'
cd /root || exit 1

. /shared/desktop-session.sh

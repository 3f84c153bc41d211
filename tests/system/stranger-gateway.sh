# SPDX-License-Identifier: LGPL-2.1-or-later
# The gateway of the stranger: it has an sshd as Debian sets it up, and lets nobody in.
. /test-lib/stranger.sh

ssh-keygen -q -A
systemctl start ssh
echo 'bob:open sesame' | chpasswd
nft 'add table inet fw; add chain inet fw in { type filter hook input priority 0; };
    add rule inet fw in ct state established,related accept; add rule inet fw in iif lo accept;
    add rule inet fw in drop' 2>/dev/null
wait_for hub 380
mv /shared/carried/gw-1.invite /root/
steps gateway 00 99
[[ $failures -eq 0 ]] && done_with gateway
if [[ -d /shared/packages ]]; then
    ok 'ssh works' wait_for ssh 120
    packages_of_the_gateway
    [[ $failures -eq 0 ]] || plan
    done_with gateway-packages
fi
until [[ -e /shared/stop ]]; do sleep 0.05; done
plan

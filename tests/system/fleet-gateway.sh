# SPDX-License-Identifier: LGPL-2.1-or-later
# The gateway of the fleet: an sshd on its loopback only, and the system's streamd with the
# connection string of a device. Bob lives here.
. /test-lib/fleet.sh

mkdir -p /run/sshd /root/ssh
ssh-keygen -q -t ed25519 -N '' -f /root/ssh/key
cat >/root/ssh/config <<CONFIG
ListenAddress 127.0.0.1:22
HostKey /root/ssh/key
AuthorizedKeysFile /etc/ssh/authorized
PasswordAuthentication no
UsePAM no
PidFile none
CONFIG
wait_for client-key
cp /shared/client.pub /etc/ssh/authorized
systemd-run -q --unit=test-sshd /usr/sbin/sshd -D -f /root/ssh/config
printf 'pump %s\n' "$(cat /root/ssh/key.pub)" >/shared/known-hosts

wait_for hub
install -D -m 644 /shared/ca.pem /etc/streamd/ca.pem
systemctl enable --now streamd || exit 1
streamctl --system hub add plant --connection-string-file /shared/pump.cs --ca /etc/streamd/ca.pem &&
    streamctl --system target add ssh tcp:127.0.0.1:22 &&
    streamctl --system accept-policy add --stream ssh --accept ssh || exit 1
done_with gateway

until [[ -e /shared/stop ]]; do
    if [[ -e /shared/restart-gateway ]]; then
        systemctl kill -s KILL streamd
        rm /shared/restart-gateway
    fi
    sleep 0.02
done

# SPDX-License-Identifier: LGPL-2.1-or-later
# The gateway of the streams that survive: an sshd, a web server, rsync, and the system's streamd.
. /test-lib/fleet.sh
. /test-lib/survive.sh

mkdir -p /run/sshd /root/ssh /srv/files
ssh-keygen -q -t ed25519 -N '' -f /root/ssh/key
cat >/root/ssh/config <<CONFIG
ListenAddress 127.0.0.1:22
HostKey /root/ssh/key
AuthorizedKeysFile /etc/ssh/authorized
PasswordAuthentication no
PermitRootLogin prohibit-password
UsePAM no
PidFile none
Subsystem sftp internal-sftp
ClientAliveInterval 0
CONFIG
wait_for client-key
cp /shared/client.pub /etc/ssh/authorized
systemd-run -q --unit=test-sshd /usr/sbin/sshd -D -f /root/ssh/config
printf 'pump %s\n' "$(cat /root/ssh/key.pub)" >/shared/known-hosts
head -c "$(cat /shared/size)" /dev/urandom >/srv/files/file
sha256sum </srv/files/file >/shared/sum
systemd-run -q --unit=test-web /usr/bin/python3 -m http.server --directory /srv/files --bind 127.0.0.1 80

wait_for hub
install -D -m 644 /shared/ca.pem /etc/streamd/ca.pem
systemctl enable --now streamd || exit 1
streamctl --system hub add plant --connection-string-file /shared/pump.cs --ca /etc/streamd/ca.pem &&
    streamctl --system target add ssh tcp:127.0.0.1:22 &&
    streamctl --system target add web tcp:127.0.0.1:80 &&
    streamctl --system accept-policy add --stream ssh --accept ssh &&
    streamctl --system accept-policy add --stream web --accept web || exit 1
obey gateway

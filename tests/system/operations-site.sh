# SPDX-License-Identifier: LGPL-2.1-or-later
# A site of the operations: its gateways, all of one image, which offers an echo and waits for an
# invitation. The first is the machine's streamd; the others, to have many on one machine, are
# streamds with a bus of their own.
. /test-lib/operations.sh
. /test-lib/lib.sh

machine=$(</etc/hostname)
site=${machine#site}
systemd-run -q --unit=echo python3 /test-lib/many.py echo 7007

configure() {
    cat <<CONF
[enroll office]
InvitationFile=/etc/streamd/enroll.invite
As=gw-$site-$1
[target echo]
Address=tcp:127.0.0.1:7007
[rule 1]
Stream=echo
Verdict=accept
CONF
}
configure 1 >/etc/streamd/streamd.conf
for ((number = 2; number <= gateways; number++)); do
    configure $number >"/etc/streamd/gateway-$number.conf"
done
cat >/etc/systemd/system/gateway@.service <<'UNIT'
[Service]
ExecStart=/usr/bin/dbus-run-session -- /usr/bin/streamd --user --threads 1 --config /etc/streamd/gateway-%i.conf
User=streamd
StateDirectory=gateway-%i
StateDirectoryMode=0700
Restart=always
UNIT
systemctl daemon-reload

obey "$machine"

# SPDX-License-Identifier: LGPL-2.1-or-later
# streamd of the system: its configuration, reloaded; and connection strings as credentials.
. /test-lib/lib.sh

targets() {
    streamctl --system target list
}
conf=/etc/streamd/streamd.conf

start_hub >/dev/null
hub device add pump >/dev/null
install -d -m 700 /etc/streamd/credentials
hub connection-string device pump --output /etc/streamd/credentials/plant

# What streamd.conf(5) says, word for word: its example, and whose the file has to be.
manual=/tmp/streamd.conf.5
sed 's/\\-/-/g' /usr/share/man/man5/streamd.conf.5 >$manual
sed -n '/^\.SH EXAMPLE$/,/^\.fi$/p' $manual | sed '1,2d;$d' >$conf
cp /etc/streamd/credentials/plant office.cs
install -m 600 office.cs /etc/streamd/office.cs
systemctl --no-block start streamd
ok "a file that is root's: the log says what helps" until_true journalctl -q -u streamd -g 'chown streamd /etc/streamd/office.cs'
cure=$(journalctl -q -o cat -u streamd -g 'chown streamd' | grep -o 'chown streamd [^ ;]*' | tail -n 1)
is_connected() {
    streamctl --system --json hub list | grep -q '"connected"'
}
ok "the cure: $cure" $cure
ok 'it helps' until_true is_connected
rm /etc/streamd/office.cs
command=$(sed -n 's/^\.B \(install -o streamd .*office\.cs\)$/\1/p' $manual)
ok "what the manual says: $command" $command
ok 'restart' systemctl restart streamd
ok 'it is connected' until_true is_connected
systemctl stop streamd
rm /etc/streamd/office.cs

cat >$conf <<'CONF'
[target web]
Address=tcp:127.0.0.1:80
CONF
ok 'start' systemctl start streamd
ok 'the file counts' says web targets
printf '[target web]\nAddress=tcp:127.0.0.1:80\n[target pump]\nAdress=tcp:127.0.0.1:81\n' >$conf
ok 'reload of a file that is wrong' refused systemctl reload streamd
ok 'file and line are told' until_true journalctl -q -u streamd -g "$conf:4"
ok 'the old configuration is kept' says 'tcp:127.0.0.1:80' targets
ok 'it goes on' is running property streamd SubState
mkdir -p $conf.d
printf '[target web]\nAddress=tcp:127.0.0.1:80\n' >$conf
printf '[target pump]\nAddress=tcp:127.0.0.1:81\n' >$conf.d/pump.conf
ok 'reload of a drop-in' systemctl reload streamd
has_pump() {
    targets | grep -q '127.0.0.1:81'
}
ok 'it counts' until_true has_pump

printf '[hub plant]\nConnectionStringCredential=plant\nCaFile=/etc/streamd/ca.pem\n' >$conf.d/plant.conf
drop_in streamd.service credential <<'UNIT'
[Service]
LoadCredential=plant:/etc/streamd/credentials/plant
UNIT
ok 'a credential: restart' systemctl restart streamd
ok 'and it is connected' until_true is_connected

systemd-creds encrypt --with-key=host --name=plant /etc/streamd/credentials/plant \
    /etc/streamd/credentials/plant.cred 2>/dev/null
rm /etc/streamd/credentials/plant
drop_in streamd.service credential <<'UNIT'
[Service]
LoadCredentialEncrypted=plant:/etc/streamd/credentials/plant.cred
UNIT
ok 'an encrypted credential: restart' systemctl restart streamd
ok 'and it is connected again' until_true is_connected
ok 'the hub says so' says 'Connection: +Connected' hub device show pump
key=$(hub connection-string device pump | sed 's/.*SharedAccessKey=//')
ok 'the key is in no log' refused journalctl -q -g "${key:0:20}"
plan

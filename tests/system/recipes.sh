# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands of docs/operations.md, as they stand there, by root on a machine that is the hub and the
# gateway gw-7: what they are for has come about.
. /test-lib/lib.sh

page=/test-lib/operations.md
block() {
    python3 /test-lib/page.py $page "$1"
}
# recipe NAME: the block of the page is run.
recipe() {
    (cd /root && bash -euo pipefail -c "$(block "$1")") 2>&1
}
# settings NAME...: these blocks, and nothing else, are the hub's settings.
settings() {
    local name
    for name in "$@"; do block "$name"; done >/etc/streamd/streamhub.conf
}
certificate() {
    openssl s_client -connect hub.example.org:443 </dev/null 2>/dev/null | openssl x509 -noout "$@"
}
column() { # DEVICE COLUMN
    streamhub device list --columns "device,$2" --no-legend | sed -n "s/^$1  *//p"
}
connected() {
    [[ $(column "$1" state) == connected ]]
}
away() {
    ! connected "$1"
}
users() {
    streamhub user list --no-legend
}
state=/var/lib/streamhub
ip address add 10.9.9.1/32 dev lo # names lead nowhere without an address that is not the loopback's
echo '10.9.9.1 hub.example.org streams.example.org' >>/etc/hosts
mkdir -p /etc/streamd

streamhub init --host-name hub.example.org --san DNS:streams.example.org >/dev/null
settings public-address
ok 'a hub' systemctl enable --now streamhub
ok 'its streams are elsewhere' says 'https://streams.example.org:8443' streamhub endpoints
settings
ok 'and are not' systemctl reload streamhub
ok 'seen from elsewhere' says 'CN *= *hub.example.org' recipe seen-from-elsewhere
systemctl start streamd

# Devices from one image, and from a list.
ok 'an invitation of a group' recipe invite-group
install -m 600 -o streamd /root/factory.invite /etc/streamd/factory.invite
mkdir -p /etc/streamd/streamd.conf.d
block enroll-drop-in >/etc/streamd/streamd.conf.d/office.conf
ok 'streamd reads where it is' systemctl restart streamd
ok 'its id does not fit, and that is said' until_true says 'the invitation is not for' streamctl hub list
rm /etc/streamd/streamd.conf.d/office.conf
streamctl hub remove office >/dev/null
hostname gw-9
mv /etc/streamd/factory.invite /etc/streamd/enroll.invite
ok 'by the name of the host' systemctl restart streamd
ok 'it joins' until_true connected gw-9
ok 'the tag finds it' says gw-9 streamhub device list --tag lot=7
rm /etc/streamd/enroll.invite
streamctl hub remove hub >/dev/null
block device-lines >/root/lines
ok 'lines of devices' streamhub device import /root/lines
ok 'they are there' says 'site=berlin' streamhub device show gw-1
ok 'so is the module' says 'gw-1 +logger' streamhub device list
ok 'and the thumbprint' says 9F86D081884C7D65 streamhub device show gw-2
ok 'devices move' says unchanged recipe move-devices
ok 'no keys are left lying about' refused test -e /root/devices.jsonl

# A gateway joins.
ok 'an invitation' recipe gateway-again
ok 'the gateway joins' recipe gateway-joins
ok 'it is there' until_true connected gw-7
start_echo
streamctl target add echo tcp:127.0.0.1:7007 >/dev/null
streamctl accept-policy add --stream echo --accept echo >/dev/null
streamhub invite user anna >/dev/null
streamctl hub add out /dev/stdin <anna.invite >/dev/null 2>&1 || streamctl hub add out anna.invite
echoes() {
    echo "$1" | timeout 10 streamctl connect --hub out gw-7 echo
}
ok 'a stream' until_true is hello echoes hello
monitored() {
    recipe monitoring >/root/monitored && grep certificate_days_left /root/monitored && grep '^# EOF' /root/monitored
}
ok 'monitoring' monitored
ok 'of a gateway' until_true says 'hubs? connected' recipe gateway-monitoring

# Upgrades.
ok 'the hub first' recipe upgrade-hub
ok 'a wave' says 'gw-7' recipe upgrade-waves
until_true connected gw-7
ok 'a gateway' recipe upgrade-gateway
ok 'its state was kept' test -e /root/streamd-before/state
ok 'a stream after it' until_true is hello echoes hello
streamhub device add after >/dev/null
streamctl target add after tcp:127.0.0.1:7007 >/dev/null
ok 'the way back of the hub' recipe upgrade-hub-back
ok 'as it was before' refused streamhub device show after
ok 'the way back of a gateway' recipe upgrade-gateway-back
ok 'as it was before' refused grep -q after <(streamctl target list)
ok 'a stream after that' until_true is hello echoes hello

# The authority and the certificate.
before=$(certificate -serial)
ok 'a renewal' recipe certificate-own
ok 'is seen' refused is "$before" certificate -serial
ok 'a backup by a timer' recipe backup-timer
ok 'it is enabled' is enabled systemctl is-enabled streamhub-backup.timer
ok 'it is for root alone' is 600 stat -c %a /var/backups/streamhub/*.backup
ok 'the next one' until_true systemctl start streamhub-backup.service # of another second
before=$(openssl x509 -in $state/ca.pem -noout -fingerprint)
ok 'another authority' recipe ca-rotate
ok 'the gateway learns it' until_true journalctl -q -u streamd -g 'plant: its authority has told of the next one'
ok 'a user learns it with a stream' is hello echoes hello
ok 'the gateway trusts that alone' recipe ca-accept
ok 'so does the user' streamctl hub set out --accept-ca
ok 'the end of the former one' recipe ca-finish
ok 'it is another' refused is "$before" openssl x509 -in $state/ca.pem -noout -fingerprint
systemctl restart streamd
ok 'the gateway comes back' until_true connected gw-7
ok 'a stream after that' until_true is hello echoes hello

# Keys in wrong hands.
old=$(streamhub connection-string device gw-7)
ok 'a device'"'"'s' recipe leaked-device
ok 'it is cut' until_true away gw-7
ok 'is given the new one' recipe leaked-device-gateway
ok 'comes back' until_true connected gw-7
ok 'with others' refused is "$old" streamhub connection-string device gw-7
old=$(streamhub connection-string user anna)
ok 'a user'"'"'s' recipe leaked-user
ok 'has others' refused is "$old" streamhub connection-string user anna
ok 'in a file' is 600 stat -c %a /root/anna.string
ok 'records' says 'echo' recipe records
ok 'its streams are refused' refused echoes hello
ok 'an invitation'"'"'s' recipe leaked-invitation
ok 'it is revoked' says 'factory.*revoked' streamhub invite list
ok 'the authority'"'"'s: new keys for all' says 'gw-7 .*done' recipe leaked-authority
ok 'a person leaves' recipe person-leaves
ok 'and is gone' refused grep -q anna <(users)

# A restore on another machine, from what the timer has made: the device's key is of before.
cp -a /var/backups/streamhub /root/hub
streamhub invite device later >/dev/null
backup_now() {
    streamhub backup "/root/hub/$(date +%Y-%m-%dT%H%M%S).backup"
}
until_true backup_now # of a second in which the timer has made none
key=$(streamhub connection-string device gw-9)
{
    streamhub device add added
    streamhub device remove gw-1
    streamhub device regenerate gw-9 both
    streamhub user add berta --rights service-connect
    streamhub invite revoke later
} >/dev/null 2>&1
cp -p $state/ca.pem $state/ca-key.pem /root/hub/
systemctl disable --now streamhub.socket streamhub-mqtts.socket streamhub 2>/dev/null
mkdir -p /mnt/var/lib
mv "$(readlink -f $state)" /mnt/var/lib/
rm -f $state
ok 'a restore' recipe restore
ok 'it serves' is active systemctl is-active streamhub
ok 'with the authority' cmp /root/hub/ca.pem $state/ca.pem
ok 'whose key is root'"'"'s' is 'root 600' stat -c '%U %a' $state/ca-key.pem
ok 'the gateway comes back to it' until_true connected gw-7

ok 'what was added later is not there' refused streamhub device show added
later=$(recipe restore-later)
for change in 'added' 'gw-1' 'gw-9' 'berta' 'later'; do
    ok "the records tell of $change" says "$change" echo "$later"
done
ok 'nor is a user' refused grep -q berta <(users)
ok 'what was removed later is there' streamhub device show gw-1
ok 'what was revoked later is good again: a key' is "$key" streamhub connection-string device gw-9
ok 'and an invitation' refused says 'later.*revoked' streamhub invite list

# The hub moves.
ok 'who was refused is told' says 'is refused' recipe refused
rm -f /root/registry
ok 'the old hub' recipe hub-leaves
ok 'takes no more changes' refused streamhub device add added
cp /etc/streamd/streamhub.conf /root/
ok 'and is off' recipe hub-is-off
rm -rf $state
ok 'the new one' recipe hub-arrives
ok 'takes changes' streamhub device add added
ok 'and the gateway' until_true connected gw-7

# A gateway is lost.
ok 'disabled' says 'disabled' recipe gateway-lost
ok 'it is cut' until_true away gw-7
ok 'removed' recipe gateway-removed
ok 'it is gone' refused streamhub device show gw-7
rm /root/gw-7.invite
ok 'another one is invited' recipe gateway-again
streamctl hub remove plant >/dev/null
ok 'and joins' recipe gateway-joins
ok 'it is there again' until_true connected gw-7

# A public authority, for which another one stands in.
live=/etc/letsencrypt/live/hub.example.org
mkdir -p $live /root/public
cd /root/public || exit
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=Public stand-in' -days 90 \
    -keyout ca.key -out ca.pem 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=hub.example.org \
    -keyout $live/privkey.pem -out hub.csr 2>/dev/null
openssl x509 -req -in hub.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -out hub.pem \
    -extfile <(printf 'subjectAltName=DNS:hub.example.org\nextendedKeyUsage=serverAuth\n') 2>/dev/null
cat hub.pem ca.pem >$live/fullchain.pem
cp ca.pem /usr/local/share/ca-certificates/stand-in.crt
update-ca-certificates >/dev/null 2>&1
ok 'a hook' recipe certbot-hook
ok 'the first certificate' recipe certbot-first
ok 'is seen' says 'Public stand-in' certificate -issuer
systemctl restart streamd
ok 'who trusts the hub'"'"'s own authority is shut out' until_true says 'plant.*certificate' streamctl hub list
streamctl hub remove plant >/dev/null
streamhub device remove gw-7 >/dev/null
ok 'who joins now' streamhub invite device gw-7 --output /root/public.invite
ok 'has no authority in the file' refused grep -q 'BEGIN CERTIFICATE' /root/public.invite
ok 'and needs none' streamctl hub add plant /root/public.invite
ok 'it is there' until_true connected gw-7
RENEWED_LINEAGE=/nowhere ok 'a hook that fails says so' refused /etc/letsencrypt/renewal-hooks/deploy/streamhub
ok 'back to its own' recipe certificate-back
ok 'is seen too' refused says 'Public stand-in' certificate -issuer
plan

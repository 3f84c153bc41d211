# SPDX-License-Identifier: LGPL-2.1-or-later
# The client of the fleet: alice, an ordinary user, takes ssh to the gateway. This is the test.
. /test-lib/fleet.sh
. /test-lib/lib.sh

loginctl enable-linger alice
systemctl start user@2001
alice() {
    as alice XDG_RUNTIME_DIR=/run/user/2001 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/2001/bus "$@"
}
alice ssh-keygen -q -t ed25519 -N '' -f /home/alice/key
cp /home/alice/key.pub /shared/client.pub
done_with client-key
wait_for hub
install -o alice -m 600 /shared/service.cs /home/alice/service.cs
install -D -m 644 /shared/ca.pem /etc/streamd/ca.pem
ok 'alice: enable --now' alice systemctl --user enable --now streamd
ok 'alice: a hub' alice streamctl --user hub add plant \
    --connection-string-file /home/alice/service.cs --ca /etc/streamd/ca.pem
ok 'the gateway is enrolled' wait_for gateway
cp /shared/known-hosts /home/alice/known-hosts

# Its words are parsed once more on the other side, by bob's shell.
through() {
    alice timeout 30 ssh -o "ProxyCommand=streamctl --user connect --wait=20 pump ssh" \
        -o UserKnownHostsFile=/home/alice/known-hosts -o StrictHostKeyChecking=yes \
        -o BatchMode=yes -i /home/alice/key bob@pump "$@"
}
ok 'ssh arrives at the gateway' is gateway through hostname
ok 'as bob' is bob through id -un
head -c 1048576 /dev/urandom >/home/alice/megabyte
echo_megabyte() {
    through cat </home/alice/megabyte | cmp - /home/alice/megabyte
}
ok 'a megabyte there and back' echo_megabyte
ok 'a stream that is not offered is rejected' fails 12 alice streamctl --user connect pump telnet

touch /shared/restart-hub
until [[ ! -e /shared/restart-hub ]]; do sleep 0.02; done
ok 'after a restart of the hub' is gateway through hostname
touch /shared/restart-gateway
until [[ ! -e /shared/restart-gateway ]]; do sleep 0.02; done
ok 'after the death of streamd on the gateway' is gateway through hostname
plan

# SPDX-License-Identifier: LGPL-2.1-or-later
# The client of the streams that survive: alice has an ssh with a running top, an scp, an rsync and a
# download, all at once, while one thing after the other goes wrong. This is the test.
. /test-lib/fleet.sh
. /test-lib/survive.sh
. /test-lib/lib.sh

loginctl enable-linger alice
systemctl start user@2001
ssh-keygen -q -t ed25519 -N '' -f /home/alice/key -C alice
chown alice /home/alice/key
cp /home/alice/key.pub /shared/client.pub
done_with client-key
wait_for hub
install -o alice -m 600 /shared/service.cs /home/alice/service.cs
install -D -m 644 /shared/ca.pem /etc/streamd/ca.pem
alice() {
    as alice XDG_RUNTIME_DIR=/run/user/2001 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/2001/bus "$@"
}
ok 'alice: enable --now' alice systemctl --user enable --now streamd
ok 'alice: a hub' alice streamctl --user hub add plant \
    --connection-string-file /home/alice/service.cs --ca /etc/streamd/ca.pem
ok 'the gateway is there' wait_for gateway 40
cp /shared/known-hosts /home/alice/known-hosts
ok 'a tunnel to its web server' alice streamctl --user tunnel open pump web --listen 8080 --background
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 /test-lib/survive.py >/root/said 2>/root/errors
status=$?
cat /root/said /root/errors | grep -v '^ok\|^not ok' | sed 's/^/# /'
while read -r word what; do
    case $word in
        ok) ok "$what" true ;;
        failed) ok "$what" false ;;
    esac
done < <(sed -n 's/^not ok/failed/p; s/^ok/ok/p' /root/said)
ok 'all of it was done' test $status -eq 0
plan

# SPDX-License-Identifier: LGPL-2.1-or-later
# streamhub as a service: enable, start, restart, reload, stop.
. /test-lib/lib.sh

ok 'a hub that was not made does not start' refused systemctl start streamhub
streamhub init --state-dir /var/lib/streamhub --host-name hub.example --san DNS:localhost >/dev/null
ok 'enable --now' systemctl enable --now streamhub
ok 'enabled' is enabled systemctl is-enabled streamhub
ok 'so are its sockets' is "enabled"$'\n'"enabled" systemctl is-enabled streamhub.socket streamhub-mqtts.socket
ok 'active' is active systemctl is-active streamhub
ok 'says what it does' is 'Serving hub.example, port 443' property streamhub StatusText
first=$(property streamhub MainPID)
ok 'not root' refused test "$(stat -c %u "/proc/$first")" = 0
ok 'no capability' grep -q '^CapBnd:[[:space:]]*0*$' "/proc/$first/status"
ok 'its state is for root and itself' is 700 stat -L -c %a /var/lib/private

greet() {
    timeout 5 openssl s_client -connect "localhost:$1" -CAfile /var/lib/streamhub/ca.pem \
        -verify_return_error -brief </dev/null
}
ok 'root rules it' hub device add pump
ok 'TLS on 443' greet 443
ok 'TLS on 8883' greet 8883
ok 'connection strings have no port' says '^HostName=hub.example;' hub connection-string device pump

ok 'restart' systemctl restart streamhub
ok 'another process' refused test "$first" = "$(property streamhub MainPID)"
ok 'its state survived' says pump hub device show pump
ok 'TLS after the restart' greet 443

fingerprint() {
    openssl s_client -connect localhost:443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint
}
before=$(fingerprint)
cp --no-preserve=all /var/lib/streamhub/server.pem /root/good.pem
echo nonsense >/var/lib/streamhub/server.pem
ok 'reload of a certificate that is none' systemctl reload streamhub
ok 'is told' until_true journalctl -q -u streamhub -g 'The certificate stays as it was'
ok 'and the old one is kept' is "$before" fingerprint
cat /root/good.pem >/var/lib/streamhub/server.pem
ok 'running on' is running property streamhub SubState

ok 'stop, sockets and all' systemctl stop streamhub.socket streamhub-mqtts.socket streamhub
ok 'cleanly' is success property streamhub Result
ok 'nobody listens' refused greet 443
ok 'a socket starts it' systemctl start streamhub.socket
ok 'with the first connection' greet 443
ok 'active again' is active systemctl is-active streamhub
ok 'only the start before its making failed' is '' systemctl list-units --failed --plain --no-legend
plan

# SPDX-License-Identifier: LGPL-2.1-or-later
# The hub's records on a machine: who may read them, the push as a service, the hashes in the journal.
. /test-lib/lib.sh

state=/var/lib/streamhub
hub init --host-name localhost >/dev/null
ok 'a hub' systemctl start streamhub
ok 'its records are of its user alone' is 'streamhub 700' stat -c '%U %a' $state/records
ok 'root reads them' until_true says start hub log
ok 'and so does the hub'"'"'s user' says start runuser -u streamhub -- streamhub log
ok 'others do not' fails 5 runuser -u nobody -- streamhub log

ok 'the push is off' is disabled systemctl is-enabled streamhub-push
ok 'and does not run' is inactive systemctl is-active streamhub-push
systemctl start streamhub-push
ok 'it says what it lacks' until_true journalctl -q -u streamhub-push -g 'set records-push-url'
ok 'and does not begin again' until_true is failed systemctl is-active streamhub-push
systemctl reset-failed streamhub-push

cat >/root/receiver.py <<'PYTHON'
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("/root/got", "ab") as file:
            file.write(self.headers.get("Authorization", "").encode() + b"\n" + body)
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 8099), Handler).serve_forever()
PYTHON
python3 /root/receiver.py 2>/dev/null &
receiver=$!
printf '[hub]\nrecords-push-url = http://127.0.0.1:8099/\n' >/etc/streamd/streamhub.conf
(umask 077; echo secret-of-root >/root/token)
printf '[Service]\nLoadCredential=records-push-token:/root/token\n' | drop_in streamhub-push.service token
ok 'enable --now' systemctl enable --now streamhub-push
ok 'the records arrive' until_true grep -q '"operationName":"start"' /root/got
ok 'with the token that is root'"'"'s' grep -qx 'Bearer secret-of-root' /root/got
pid=$(property streamhub-push MainPID)
ok 'it is the hub'"'"'s user' is streamhub ps -o user= -p "$pid"
ok 'it sees the records and nothing else of the hub' is records nsenter -t "$pid" -m ls $state
ok 'and may not write there' refused nsenter -t "$pid" -m -- touch $state/records/x
ok 'no capability' grep -q '^CapBnd:[[:space:]]*0*$' "/proc/$pid/status"
ok 'a restart of the hub arrives' systemctl restart streamhub
ok 'as another start' until_true eval '[[ $(grep -c "\"operationName\":\"start\"" /root/got) -eq 2 ]]'
ok 'stop' systemctl stop streamhub-push
ok 'cleanly' is success property streamhub-push Result
kill $receiver

# What the journal was told, by whom.
head=$(hub log verify --json | sed -n 's/.*"head" *: *"\([0-9a-f]*\)".*/\1/p')
told() {
    printf 'MESSAGE_ID=f166a1761bfc44909598c472111a0806\nMESSAGE=test\nSTREAMD_HASH=%s\n' "$2" |
        runuser -u "$1" -- logger --journald
}
other=$(printf '%064d' 7)
told streamhub "$head"
told root "$other"
ok 'what the hub told is there' until_true says 'to be found: [1-9]' hub log verify --journal
ok 'what others told does not count' hub log verify --journal
told streamhub "$other"
ok 'what is not there any more is missing' until_true fails 1 hub log verify --journal
ok 'and named' says "$other: there is no record" hub log verify --journal
ok 'without the journal it is not seen' hub log verify
ok 'nothing has failed' is '' systemctl list-units --failed --plain --no-legend
plan

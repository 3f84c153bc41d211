# SPDX-License-Identifier: LGPL-2.1-or-later
# One user with many connections to the bus: streamd looks at 64 of them, and serves the others.
. /test-lib/lib.sh

systemctl start streamd
as alice python3 /test-lib/crowd.py 100 >/root/crowd 2>/dev/null &
ok 'those beyond 64 are refused' until_true grep -qx '36 refused' /root/crowd
ok 'and one more' says 'calls from 64 connections' as alice streamctl --system target list
ok 'bob is served' as bob streamctl --system target list
ok 'root is served' streamctl --system target add ssh tcp:127.0.0.1:22
{ pkill -u alice python3; wait; } >/dev/null 2>&1
ok 'alice is, when they have gone' until_true as alice streamctl --system target list
plan

# SPDX-License-Identifier: LGPL-2.1-or-later
# The hub of the stranger.
. /test-lib/stranger.sh

steps hub 00 99
# For the second one at the laptop.
[[ ! -d /shared/desktop ]] || ok 'one more user is invited' streamhub invite user bob
cp /root/*.invite /shared/carried/
[[ $failures -eq 0 ]] && done_with hub
if [[ -d /shared/packages ]]; then
    ok 'the gateway is through' wait_for gateway-packages 240
    packages_of_the_hub
    [[ $failures -eq 0 ]] || plan
    done_with hub-packages
fi
until [[ -e /shared/stop ]]; do sleep 0.05; done
plan

// SPDX-License-Identifier: LGPL-2.1-or-later
// A device's leg on npm's ws: as leg.py.
'use strict';

const fs = require('node:fs');
const WebSocket = require('ws');

const HELD_MAX = 4 << 20;

function say(what) {
  process.stdout.write(JSON.stringify(what) + '\n');
}

const [url, token, ca] = fs.readFileSync(0, 'utf8').trimEnd().split('\t');
const leg = new WebSocket(url, { headers: { Authorization: `Bearer ${token}` }, ca: fs.readFileSync(ca) });
let total = 0;
let biggest = 0;
leg.on('open', () => say({ event: 'open' }));
leg.on('error', (error) => say({ event: 'refused', why: error.message }));
leg.on('message', (data) => {
  total += data.length;
  biggest = Math.max(biggest, data.length);
  leg.send(data, { binary: true }, () => leg.isPaused && leg.bufferedAmount < HELD_MAX / 4 && leg.resume());
  if (leg.bufferedAmount > HELD_MAX) {
    leg.pause();
  }
});
leg.on('close', () => say({ event: 'closed', total, biggest }));

// SPDX-License-Identifier: LGPL-2.1-or-later
// The same as body.py by Node's own fetch, with a stream as the body.
'use strict';

const readline = require('node:readline');

function stream(text) {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < text.length; at += 1000) {
        controller.enqueue(new TextEncoder().encode(text.slice(at, at + 1000)));
      }
      controller.close();
    },
  });
}

async function patch(host, port, token, path, body) {
  const answer = await fetch(`https://${host}:${port}${path}`, {
    method: 'PATCH',
    headers: { Authorization: token, 'Content-Type': 'application/json' },
    body: stream(body),
    duplex: 'half',
  });
  return { status: answer.status, body: await answer.text() };
}

async function main() {
  let hub;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const words = line.split('\t');
    if (hub) {
      console.log(JSON.stringify(await patch(hub[0], hub[1], ...words)));
    } else {
      hub = words;
    }
  }
}

main();

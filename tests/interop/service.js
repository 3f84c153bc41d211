// SPDX-License-Identifier: LGPL-2.1-or-later
// A service made of Microsoft's azure-iot-http-base (the request) and azure-iot-common (the token);
// the stream's leg is a WebSocket of ws. Sends random data and expects all of it back.
//
// Usage: service.js CONFIG.json; keys: host, port, policy, key, device, stream, connectTimeout,
// responseTimeout, total, messageSize, and if wanted expired (so is the token) and idle (seconds of silence, after which
// 64 more bytes are sent). Prints one JSON object: the answer, and what came of the leg.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { SharedAccessSignature, anHourFromNow } = require('azure-iot-common');
const { RestApiClient } = require('azure-iot-http-base');
const WebSocket = require('ws');

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

function initiate() {
  // The package renews a token that is an object by itself, before each request; a string stays as it is.
  const token = config.expired
    ? SharedAccessSignature.create(config.host, config.policy, config.key, anHourFromNow() - 3700).toString()
    : SharedAccessSignature.create(config.host, config.policy, config.key, anHourFromNow());
  const client = new RestApiClient({ host: config.host, sharedAccessSignature: token }, 'interop/1.0');
  const path = `/twins/${encodeURIComponent(config.device)}/streams/${config.stream}?api-version=2019-07-01-preview`;
  const headers = {
    'iothub-streaming-connect-timeout-in-seconds': config.connectTimeout,
    'iothub-streaming-response-timeout-in-seconds': config.responseTimeout,
  };
  return new Promise((resolve) => {
    client.executeApiCall('POST', path, headers, null, { port: config.port }, (error, body, response) => {
      const answer = response || (error && error.response);
      resolve({
        error: error && error.name,
        message: error && error.message,
        status: answer && answer.statusCode,
        headers: answer && answer.headers,
        body: error ? error.responseBody : body,
      });
    });
  });
}

// Sends total bytes in messages of messageSize, not faster than they leave; returns their digest.
async function sendAll(leg) {
  const digest = crypto.createHash('sha256');
  for (let left = config.total; left > 0;) {
    const data = crypto.randomBytes(Math.min(left, config.messageSize));
    digest.update(data);
    left -= data.length;
    const sent = new Promise((resolve) => leg.send(data, { binary: true }, resolve));
    if (leg.bufferedAmount > (1 << 20)) {
      await sent;
    }
  }
  return digest.digest('hex');
}

function receiveAll(leg) {
  const digest = crypto.createHash('sha256');
  let total = 0;
  let biggest = 0;
  return new Promise((resolve) => {
    const done = (end) => resolve({ total, biggest, digest: digest.digest('hex'), ...end });
    leg.on('message', (data) => {
      digest.update(data);
      total += data.length;
      biggest = Math.max(biggest, data.length);
      if (total >= config.total) {
        leg.removeAllListeners('close');
        leg.removeAllListeners('message');
        done({ complete: true });
      }
    });
    leg.on('close', (code, reason) => done({ complete: false, code, reason: reason.toString() }));
  });
}

async function echo(url, token) {
  const leg = new WebSocket(url, { headers: { Authorization: `Bearer ${token}` } });
  const received = receiveAll(leg);
  await new Promise((resolve, reject) => {
    leg.on('open', resolve);
    leg.on('error', reject);
  });
  const sent = await sendAll(leg);
  const result = { sent, ...await received };
  if (config.idle) {
    await new Promise((resolve) => setTimeout(resolve, config.idle * 1000));
    const late = new Promise((resolve) => leg.on('message', (data) => resolve(data.length)));
    leg.send(crypto.randomBytes(64), { binary: true });
    result.late = await late;
  }
  await new Promise((resolve) => {
    if (leg.readyState === WebSocket.CLOSED) {
      resolve();
    }
    leg.on('close', resolve);
    leg.close(1000);
  });
  return result;
}

async function main() {
  const result = await initiate();
  if (result.status === 200 && result.headers['iothub-streaming-is-accepted'] === 'True') {
    result.echo = await echo(result.headers['iothub-streaming-url'],
      result.headers['iothub-streaming-auth-token']);
  }
  process.stdout.write(JSON.stringify(result) + '\n');
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

// SPDX-License-Identifier: LGPL-2.1-or-later
// A device made of Microsoft's azure-iot-device and azure-iot-device-mqtt, which know nothing of
// streams: these go through their own MQTT connection, and the stream's leg is a WebSocket of ws.
//
// Usage: device.js CONFIG.json; keys: connectionString, transport ("tcp" or "ws"), port (with "ws"),
// mode ("accept", "reject", "silent"), messageSize, besides (so much telemetry, and the twin), cert and key (PEM, with
// x509=true). Says what happens as one JSON object a line.
'use strict';

const fs = require('node:fs');
const https = require('node:https');
const tls = require('node:tls');
const { Client, Message } = require('azure-iot-device');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');
const WebSocket = require('ws');

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

function say(event, details) {
  process.stdout.write(JSON.stringify({ event, ...details }) + '\n');
}

// MQTT over WebSocket insists on port 443 in the packages; the agent connects elsewhere.
class PortAgent extends https.Agent {
  createConnection(options) {
    return tls.connect({ ...options, port: config.port, servername: options.host, cert: config.cert,
      key: config.key });
  }
}

// docs/wire-protocol.md, section 1.5: what real clients need of a request's topic.
function parseRequest(topic) {
  const levels = topic.split('/');
  if (levels.length !== 5 || levels[0] !== '$iothub' || levels[1] !== 'streams' || levels[2] !== 'POST') {
    throw new Error(`not a request: ${topic}`);
  }
  const properties = {};
  if (!levels[4].startsWith('?')) {
    throw new Error(`no properties: ${topic}`);
  }
  for (const pair of levels[4].slice(1).split('&')) {
    const parts = pair.split('=');
    if (parts.length !== 2 || !parts[0] || !parts[1] || parts[0] in properties) {
      throw new Error(`a pair that breaks the C client: ${pair}`);
    }
    properties[parts[0]] = parts[1];
  }
  const url = decodeURIComponent(properties.$url);
  if (!/^[!()*.0-9A-Z_a-z%-]+$/.test(properties.$url) || !/^wss:\/\/[^/:]+:\d+\/./.test(url)) {
    throw new Error(`a url that breaks the C client: ${properties.$url}`);
  }
  if (!/^[A-Za-z0-9._-]{1,899}$/.test(properties.$auth)) {
    throw new Error('an authorization that breaks the C client');
  }
  if (Object.keys(properties).join() !== '$rid,$url,$auth') {
    throw new Error(`a plain device is told more than it asked for: ${Object.keys(properties)}`);
  }
  return { name: levels[3], rid: properties.$rid, url, token: properties.$auth };
}

// Sends back what comes, in messages of exactly the size asked for; less than one is held.
function echo(leg) {
  let held = Buffer.alloc(0);
  let total = 0;
  let biggest = 0;
  const send = (data) => leg.send(data, { binary: true }, () => {
    if (leg.isPaused && leg.bufferedAmount < (1 << 20)) {
      leg.resume();
    }
  });
  leg.on('message', (data) => {
    total += data.length;
    biggest = Math.max(biggest, data.length);
    held = held.length ? Buffer.concat([held, data]) : data;
    let at = 0;
    for (; held.length - at >= config.messageSize; at += config.messageSize) {
      send(held.subarray(at, at + config.messageSize));
    }
    held = held.subarray(at);
    if (leg.bufferedAmount > (4 << 20)) {
      leg.pause();
    }
  });
  leg.on('close', (code, reason) => say('closed', { code, reason: reason.toString(), total, biggest }));
}

function openLeg(request) {
  const leg = new WebSocket(request.url, { headers: { Authorization: `Bearer ${request.token}` } });
  leg.on('open', () => say('open'));
  leg.on('error', (error) => say('error', { message: error.message }));
  echo(leg);
}

function answer(mqtt, request) {
  if (config.mode === 'silent') {
    return;
  }
  const code = config.mode === 'accept' ? 200 : 400;
  mqtt.publish(`$iothub/streams/res/${code}/?$rid=${request.rid}`, '', { qos: 0 });
  if (code === 200) {
    openLeg(request);
  }
}

function onMessage(mqtt, topic, payload) {
  if (!topic.startsWith('$iothub/streams/')) {
    return;
  }
  try {
    const request = parseRequest(topic);
    if (payload.length) {
      throw new Error('the request has a payload');
    }
    say('request', { name: request.name, rid: request.rid });
    answer(mqtt, request);
  } catch (error) {
    say('violation', { message: error.message });
  }
}

// What else a device does on its connection: it reads its twin, reports, sends telemetry.
async function besideStreams(client) {
  const twin = await client.getTwin();
  say('twin', { desired: twin.properties.desired.$version });
  await new Promise((done) => twin.properties.reported.update({ a: 1 }, (error) => {
    say('reported', { message: error ? error.message : null });
    done();
  }));
  const started = Date.now();
  await Promise.all(Array.from({ length: config.besides }, (_, at) => client.sendEvent(new Message(`m${at}`))));
  say('telemetry', { sent: config.besides, took: Date.now() - started });
}

async function main() {
  const client = Client.fromConnectionString(config.connectionString,
    config.transport === 'ws' ? MqttWs : Mqtt);
  if (config.cert) {
    await client.setOptions({ cert: config.cert, key: config.key });
  }
  if (config.transport === 'ws') {
    await client.setOptions({ mqtt: { webSocketAgent: new PortAgent() } });
  }
  client.on('error', (error) => say('error', { message: error.message }));
  client.on('disconnect', () => say('disconnected'));
  await client.open();
  const mqtt = client._transport._mqtt._mqttClient;
  mqtt.on('message', (topic, payload) => onMessage(mqtt, topic, payload));
  mqtt.subscribe(['$iothub/streams/POST/#', '$iothub/streams/res/#'], { qos: 0 }, (error, granted) => {
    if (error) {
      throw error;
    }
    say('ready', { granted: granted.map((one) => one.qos) });
    if (config.besides) {
      besideStreams(client).catch((error) => say('failed', { message: error.message }));
    }
  });
}

main().catch((error) => {
  say('failed', { message: error.message });
  process.exit(1);
});

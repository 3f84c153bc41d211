// SPDX-License-Identifier: LGPL-2.1-or-later
// A device on Microsoft's azure-iot-device and azure-iot-device-mqtt, which know nothing of streams: these go
// through their own MQTT connection. See sdk_device.py for what it reads, lines.py for what it says.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const { Client, Message, SharedAccessKeyAuthenticationProvider } = require('azure-iot-device');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');

let client;
let listened;

function say(what) {
  process.stdout.write(JSON.stringify(what) + '\n');
}

// After a new token the SDK has another connection, which is listened to as well.
function mqtt() {
  const now = client._transport._mqtt._mqttClient;
  if (now && now !== listened) {
    listened = now;
    now.on('message', (topic, payload) => {
      if (topic.startsWith('$iothub/streams/')) {
        say({ event: 'message', topic, payload: payload.toString() });
      }
    });
  }
  return now;
}

async function connect(string, transport, ca, keepAlive, life) {
  const options = { ca: fs.readFileSync(ca, 'ascii'), keepalive: Number(keepAlive) };
  const carrier = transport === 'ws' ? MqttWs : Mqtt;
  if (life.startsWith('cert:')) {
    const own = fs.readFileSync(life.slice(5), 'ascii');
    Object.assign(options, { cert: own, key: own });
    client = Client.fromConnectionString(string, carrier);
  } else {
    const seconds = Number(life);
    client = Client.fromAuthenticationProvider(SharedAccessKeyAuthenticationProvider.fromConnectionString(string,
      seconds, Math.min(900, Math.floor(seconds / 3))), carrier);
  }
  await client.setOptions(options);
  client.on('error', (error) => say({ event: 'background', why: error.message }));
  client.on('disconnect', (error) => say({ event: 'lost', why: String(error && error.message) }));
  await client.open();
  setInterval(mqtt, 20).unref();
  say({ event: 'connected', code: 0 });
}

const commands = {
  subscribe: (filter, qos) => new Promise((resolve, reject) => mqtt().subscribe(filter, { qos: Number(qos) },
    (error, granted) => (error ? reject(error) : resolve({ codes: granted.map((one) => one.qos) })))),
  publish: (topic, qos, payload) => new Promise((resolve, reject) => mqtt().publish(topic, payload, { qos: Number(qos) },
    (error) => (error ? reject(error) : resolve({})))),
  telemetry: async (topic, count) => {
    const sent = await Promise.allSettled(Array.from({ length: Number(count) },
      (_, at) => client.sendEvent(new Message(`m${at}`))));
    return { acknowledged: sent.filter((one) => one.status === 'fulfilled').length };
  },
  twin: async () => {
    const { desired, reported } = (await client.getTwin()).properties;
    return { value: { desired: { $version: desired.$version }, reported: { $version: reported.$version } } };
  },
  report: async () => {
    const twin = await client.getTwin();
    await new Promise((resolve, reject) => twin.properties.reported.update({ a: 1 },
      (error) => (error ? reject(error) : resolve())));
    return {};
  },
  methods: async () => {
    client.onDeviceMethod('reboot', () => say({ event: 'method' }));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return { error: mqtt() && mqtt().connected ? null : 'not connected' };
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, ...words] = line.split('\t');
    if (command === 'sdk') {
      await connect(...words);
    } else if (command === 'quit') {
      await client.close();
      process.exit(0);
    } else {
      say({ done: command, ...await commands[command](...words).catch((error) => (
        { error: `${error.name}: ${error.message}` })) });
    }
  }
}

main().catch((error) => {
  say({ event: 'failed', why: error.message });
  process.exit(1);
});

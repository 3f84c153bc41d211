// SPDX-License-Identifier: LGPL-2.1-or-later
// Microsoft's azure-iothub Registry, as it is: makes the calls of a list, one after the other, and prints what came of
// each as JSON.
//
// Usage: registry.js CONFIG.json; keys: connectionString, port, calls: [[METHOD, ARGUMENT...], ...]. In an argument
// "$N.name" stands for the member of what call N gave. Beside the methods of Registry: ["pages", QUERY, SIZE], all
// pages of a query, ["twin", DEVICE, PATCH], which changes a twin by its own ETag, and ["removeModuleByETag", MODULE].
'use strict';

const fs = require('node:fs');
const https = require('node:https');
const tls = require('node:tls');
const { Registry } = require('azure-iothub');

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

// The packages know only port 443; the agent connects elsewhere.
class PortAgent extends https.Agent {
  createConnection(options) {
    return tls.connect({ ...options, port: config.port, servername: options.host });
  }
}

const registry = Registry.fromConnectionString(config.connectionString);
registry._restApiClient.setOptions({ http: { agent: new PortAgent({ keepAlive: true }) } });

const own = {
  async pages(text, size) {
    const query = registry.createQuery(text, size);
    const pages = [];
    while (query.hasMoreResults) {
      pages.push((await query.nextAsTwin()).result.map((twin) => twin.toJSON()));
    }
    return { responseBody: pages };
  },
  async twin(device, patch) {
    const twin = (await registry.getTwin(device)).responseBody;
    await twin.update(patch);
    return { responseBody: twin };
  },
  // With a promise the package takes only names, and with names no ETag.
  removeModuleByETag(module) {
    return new Promise((resolve, reject) => {
      registry.removeModule(module, (error) => (error ? reject(error) : resolve()));
    });
  },
};

function fill(value, results) {
  if (typeof value === 'string' && /^\$\d+\.\w+$/.test(value)) {
    const [index, name] = value.slice(1).split('.');
    return results[index].result[name];
  }
  if (Array.isArray(value)) {
    return value.map((one) => fill(one, results));
  }
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fill(one, results)]));
  }
  return value;
}

async function main() {
  const results = [];
  for (const [method, ...given] of config.calls) {
    const args = fill(given, results);
    try {
      const answer = await (own[method] ? own[method](...args) : registry[method](...args));
      const body = answer && answer.responseBody;
      results.push({ result: body && body.toJSON ? body.toJSON() : body });
    } catch (error) {
      const response = error.response;
      results.push({ error: error.name, message: error.message, body: error.responseBody,
        status: response && response.statusCode, code: response && response.headers['iothub-errorcode'] });
    }
  }
  process.stdout.write(JSON.stringify(results) + '\n');
  process.exit(0); // connections are kept alive
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

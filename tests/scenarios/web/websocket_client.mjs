// @xmpp/client in Node, over WebSocket, in a test's hand. A request is one line of JSON on standard
// input, {"id", "call", ...}; its answer one line on standard output, {"id", "result" or "error"}.
//
// STANZAGATE_WEB is the folder with node_modules. NODE_EXTRA_CA_CERTS names whom to trust.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { webcrypto } from "node:crypto";

const require = createRequire(`${process.env.STANZAGATE_WEB}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));

// What a browser has and Node 18 has not. `ws` also lets the names of the test lead to loopback.
const { default: NodeWebSocket } = await load("ws");
globalThis.crypto ??= webcrypto;
globalThis.WebSocket = class extends NodeWebSocket {
  constructor(url, protocols) {
    const loopback = (name, options, done) =>
      options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
    super(url, protocols, { lookup: loopback });
    current = this;
  }
};

const { client, xml } = await load("@xmpp/client");
const REGISTER = "jabber:iq:register";
const WAIT = 60_000;

let current; // the WebSocket
let entity;
let resumptions = 0;
const messages = [];
const errors = [];
const waiting = [];

function deliver() {
  while (waiting.length && messages.length) waiting.shift()(messages.shift());
}

function bounded(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${WAIT} ms: ${what}`)), WAIT);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function once(emitter, event) {
  return bounded(new Promise((resolve) => emitter.once(event, resolve)), event);
}

function make(settings) {
  entity = client(settings);
  entity.reconnect.delay = 100;
  entity.streamManagement.on("resumed", () => resumptions++);
  entity.on("error", (error) => errors.push(String(error)));
  entity.on("stanza", (stanza) => {
    if (stanza.is("message") && stanza.getChildText("body") !== null) {
      messages.push({ from: stanza.attrs.from, body: stanza.getChildText("body") });
      deliver();
    }
  });
}

const calls = {
  async log_in({ service, domain, username, password }) {
    make({ service, domain, username, password });
    const jid = await bounded(entity.start(), "online");
    for (let tries = 0; !entity.streamManagement.enabled; tries++) {
      if (tries === WAIT / 10) throw new Error("stream management was not enabled");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await entity.send(xml("presence"));
    return jid.toString();
  },

  // Registers before it authenticates, on the same stream: `get`, then `set`. The answers as XML.
  // With `log_in` it authenticates as the new account afterwards.
  async register({ service, domain, username, password, log_in }) {
    const answers = [];
    const ask = async (type, ...children) => {
      const id = `register-${type}`;
      const answer = new Promise((resolve) => {
        const listener = (element) => {
          if (element.is("iq") && element.attrs.id === id) {
            entity.removeListener("element", listener);
            resolve(element.toString());
          }
        };
        entity.on("element", listener);
      });
      await entity.send(xml("iq", { type, id, to: domain }, xml("query", REGISTER, ...children)));
      answers.push(await bounded(answer, id));
    };
    let registered;
    const done = new Promise((resolve, reject) => (registered = { resolve, reject }));
    make({
      service,
      domain,
      credentials: async (authenticate, mechanisms) => {
        try {
          await ask("get");
          await ask("set", xml("username", {}, username), xml("password", {}, password));
          registered.resolve();
        } catch (error) {
          registered.reject(error);
        }
        if (log_in) await authenticate({ username, password }, mechanisms[0]);
      },
    });
    const online = log_in ? once(entity, "online") : undefined;
    entity.start().catch(() => {});
    await bounded(done, "registration");
    if (log_in) return { answers, jid: (await online).toString() };
    entity.reconnect.stop();
    current.close();
    return { answers };
  },

  async send({ to, body }) {
    await entity.send(xml("message", { type: "chat", to }, xml("body", {}, body)));
  },

  async next_message() {
    const message = new Promise((resolve) => waiting.push(resolve));
    deliver();
    return bounded(message, "a message");
  },

  // What has arrived and was not asked for.
  async other_messages() {
    return messages.splice(0);
  },

  async ping() {
    const ping = xml("iq", { type: "get" }, xml("ping", "urn:xmpp:ping"));
    return (await entity.iqCaller.request(ping, WAIT)).attrs.type;
  },

  async status() {
    const { enabled, id, outbound_q } = entity.streamManagement;
    return { status: entity.status, jid: entity.jid?.toString(), enabled, id,
             unacknowledged: outbound_q.length, errors };
  },

  async resumptions() {
    return resumptions;
  },

  // As if the network had gone: no closing of any kind.
  async drop() {
    current.terminate();
  },

  async stop() {
    await bounded(entity.stop(), "offline");
    return entity.status;
  },
};

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { id, call, ...settings } = JSON.parse(line);
  calls[call](settings).then(
    (result) => say({ id, result }),
    (error) => say({ id, error: String(error?.stack ?? error) }),
  );
}
process.exit(0);

// strophe.js over BOSH, in a test's hand: every function here is called by name with plain values.
"use strict";

const REGISTER = "jabber:iq:register";
const WAIT = 60_000;
const FINAL = ["CONNFAIL", "AUTHFAIL", "DISCONNECTED", "ERROR"];

Strophe.setLogLevel(Strophe.LogLevel.WARN);
let connection;
let heardStatus = () => {};
const statuses = [];
const messages = [];
const requests = []; // their status, once they have ended

const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) {
  const request = { status: null };
  requests.push(request);
  this.addEventListener("loadend", () => (request.status = this.status));
  send.call(this, body);
};

function bounded(promise, what) {
  const late = new Promise((_, reject) =>
    setTimeout(() => reject(new Error(`not within ${WAIT} ms: ${what}; ${statuses}`)), WAIT));
  return Promise.race([promise, late]);
}

function onStatus(code) {
  const name = Object.keys(Strophe.Status).find((key) => Strophe.Status[key] === code);
  statuses.push(name);
  heardStatus(name);
}

function untilStatus(wanted) {
  return bounded(new Promise((resolve, reject) => {
    heardStatus = (name) => {
      if (name === wanted) resolve(name);
      else if (FINAL.includes(name)) reject(new Error(`${statuses}`));
    };
  }), wanted);
}

function make(service) {
  connection = new Strophe.Connection(service);
  connection.addHandler((stanza) => {
    const body = stanza.getElementsByTagName("body")[0];
    if (body) messages.push({ from: stanza.getAttribute("from"), body: body.textContent });
    return true;
  }, null, "message");
}

// A request before authentication, and its answer as XML. (sendIQ() only hears answers after it.)
function ask(type, fill) {
  const id = `register-${type}`;
  const answer = new Promise((resolve) => {
    connection._addSysHandler((stanza) => {
      resolve(Strophe.serialize(stanza));
      return false;
    }, null, "iq", null, id);
  });
  const iq = $iq({ type, id, to: connection.domain }).c("query", { xmlns: REGISTER });
  fill?.(iq);
  connection.send(iq);
  return bounded(answer, id);
}

// `get` and `set` on the stream before it authenticates; then it does, if `go_on`.
async function register({ service, domain, username, password, go_on }) {
  make(service);
  const ready = new Promise((resolve) => (connection.authenticate = resolve));
  connection.connect(`${username}@${domain}`, password, onStatus);
  const mechanisms = await bounded(ready, "the stream features");
  const answers = [await ask("get")];
  answers.push(await ask("set", (iq) => {
    iq.c("username", null, username).c("password", null, password);
  }));
  delete connection.authenticate;
  if (go_on) {
    const connected = untilStatus("CONNECTED");
    connection.authenticate(mechanisms);
    await connected;
  } else {
    await leave();
  }
  return answers;
}

async function logIn({ service, username, domain, password }) {
  make(service);
  const connected = untilStatus("CONNECTED");
  connection.connect(`${username}@${domain}`, password, onStatus);
  await connected;
  connection.send($pres());
  await iq("urn:xmpp:ping", "ping"); // answered after the presence, so that is known
  return connection.jid;
}

// What is needed to go on with this session elsewhere.
function session() {
  return { jid: connection.jid, sid: connection._proto.sid, rid: connection._proto.rid };
}

async function attach(service, { jid, sid, rid }) {
  make(service);
  const attached = untilStatus("ATTACHED");
  connection.attach(jid, sid, rid, onStatus, 60, 1, 2);
  await attached;
}

async function iq(namespace, name) {
  const answer = new Promise((resolve, reject) =>
    connection.sendIQ($iq({ type: "get" }).c(name, { xmlns: namespace }), resolve, reject));
  return (await bounded(answer, name)).getAttribute("type");
}

function say(to, body) {
  connection.send($msg({ to, type: "chat" }).c("body").t(body));
}

async function leave() {
  const gone = bounded(new Promise((resolve) => {
    heardStatus = (name) => name === "DISCONNECTED" && resolve(name);
  }), "DISCONNECTED");
  connection.disconnect("done");
  return gone;
}

// Follow the events of Voice Campaigns: print a line for each event of created leads.
//
//     npm install
//     AMQP_URL=amqp://crm:PASSWORD@HOST:5672/voice node subscribe.js crm.new-leads lead.created.v1
//
// The arguments are the queue, whose name begins with the account's name and a dot, and the bindings, which select the
// events of the queue. SIGTERM or Ctrl-C ends the program; unacknowledged events are delivered again when it is back.

import amqp from "amqplib";

const EXCHANGE = "voice.events";
const HANDLED_TYPE = "lead.created.v1";
const PREFETCH = 50;
const MAX_APPLIED_IDS = 10_000;
const RETRY_MS = 1000;

const [queue, ...bindings] = process.argv.slice(2);
const url = process.env.AMQP_URL;
if (!url || bindings.length === 0) {
  console.error("usage: AMQP_URL=amqp://… node subscribe.js QUEUE BINDING…");
  process.exit(1);
}

// In memory, the ids are lost with the process. Where applying an event twice does harm, store the ids in the database
// that the work changes, in the same transaction.
const appliedIds = new Set();
let connection = null;
let ending = false;

// Does the work: prints the leads.
function handleCreatedLeads(event) {
  const leads = event.data.leads.map((lead) => `${lead.id} ${lead.phone}`).join(", ");
  console.log(`${event.id} ${event.type} company ${event.companyid}: ${leads}`);
}

function apply(event) {
  if (typeof event.id !== "string" || typeof event.type !== "string") throw new Error("not a CloudEvent");
  if (event.type !== HANDLED_TYPE || appliedIds.has(event.id)) return;
  handleCreatedLeads(event);
  appliedIds.add(event.id);
  if (appliedIds.size > MAX_APPLIED_IDS) appliedIds.delete(appliedIds.values().next().value);
}

function handle(channel, message) {
  try {
    apply(JSON.parse(message.content.toString("utf8")));
  } catch (error) {
    console.error(`rejected ${message.properties.messageId}: ${error.message}`);
    // It becomes a dead letter: a retry would not help. For work that may succeed later, requeue with true; after the
    // queue's delivery limit the event becomes a dead letter too.
    channel.reject(message, false);
    return;
  }
  channel.ack(message);
}

// Resolves or rejects when the connection has ended, for any reason.
async function consume() {
  connection = await amqp.connect(url, { timeout: 10_000 });
  const ended = new Promise((resolve, reject) => {
    connection.once("close", resolve);
    connection.once("error", reject);
  });
  ended.catch(() => {}); // it may fail while the queue is being declared; it is awaited below
  try {
    const channel = await connection.createChannel();
    const lost = new Promise((_, reject) => channel.once("error", reject));
    lost.catch(() => {});
    await channel.prefetch(PREFETCH);
    const quorum = { durable: true, arguments: { "x-queue-type": "quorum" } };
    // The dead letters of all queues of this account.
    await channel.assertQueue(`${queue.split(".")[0]}.dead`, quorum);
    await channel.assertQueue(queue, quorum);
    for (const binding of bindings) await channel.bindQueue(queue, EXCHANGE, binding);
    const cancelled = new Promise((_, reject) => {
      const onMessage = (message) =>
        message === null ? reject(new Error("the queue was deleted")) : handle(channel, message);
      channel.consume(queue, onMessage).then(() => console.error(`consuming ${queue}`), reject);
    });
    await Promise.race([ended, lost, cancelled]);
  } finally {
    await connection.close().catch(() => {}); // has no effect when it has ended
    connection = null;
  }
}

async function end() {
  ending = true;
  if (connection) await connection.close().catch(() => {});
  console.error("ended");
  process.exit(0);
}
process.once("SIGTERM", end);
process.once("SIGINT", end);

while (!ending) {
  let reason = "the connection was closed";
  try {
    await consume();
  } catch (error) {
    reason = error.message;
  }
  if (ending) break;
  console.error(`${reason}; connecting again in ${RETRY_MS / 1000} s`);
  await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

// Follows a tenant's events with nothing but a subscriber's own credentials: one JSON line for each message, skips too.
//
// subscriber.mjs URL NAME: the password is read from standard input. Ends when standard input closes.

import { createInterface } from "node:readline";
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { HTTP } from "cloudevents";

const [url, name] = process.argv.slice(2);
const input = createInterface({ input: process.stdin });
const password = await new Promise((told) => input.once("line", told));
input.once("close", () => process.exit(0));

// What is told of a message: its place, and the event, if it is one.
function seen(message) {
  if (message.subject.endsWith(".skip")) return { sequence: message.seq };
  const headers = {};
  for (const [key, [value]] of message.headers) headers[key] = value;
  const event = HTTP.toEvent({ headers, body: message.string() });
  return {
    data: event.data,
    id: event.id,
    kind: event.type.split(".")[2],
    position: Number(event.sequence),
    sequence: message.seq,
    tenant: event.tenant,
  };
}

const client = await connect({
  servers: url,
  user: name,
  pass: password,
  inboxPrefix: `_INBOX_${name}`,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 200,
  waitOnFirstConnect: true,
});
const consumers = jetstream(client, { apiPrefix: "docket.api" }).consumers;
for (;;) {
  try {
    const consumer = await consumers.get("DOCKET_OUT", name);
    const messages = await consumer.fetch({ max_messages: 100, expires: 1_000 });
    for await (const message of messages) {
      process.stdout.write(`${JSON.stringify(seen(message))}\n`);
      message.ack();
    }
  } catch {
    // The broker is away, or has not made the consumer yet.
    await new Promise((later) => setTimeout(later, 200));
  }
}

// A message centre, on the SMPP package of npm: binds whoever has the password, puts long messages together, sends receipts.
//
// Usage: node smsc.mjs
// Prints its port, then serves until its standard input ends. Every whole message is a line of JSON: from, to, text, the
// coding and the parts it came in. The number's last digit decides: 9 is no subscriber, 8 is told to come again, 7 is taken
// and comes back, all others get it.

import smpp from "smpp";

const long = new Map();
let taken = 0;

/** The whole text, once its last part is here. */
function whole(pdu) {
  const { udh, message } = pdu.short_message;
  if (!udh) return { text: message, parts: 1 };
  const header = udh[0];
  const wide = header[0] === 0x08;
  const reference = wide ? header.readUInt16BE(2) : header[2];
  const [total, part] = header.subarray(wide ? 4 : 3);
  const key = `${pdu.destination_addr}/${reference}`;
  const parts = long.get(key) ?? [];
  parts[part - 1] = message;
  long.set(key, parts);
  const complete = parts.filter((one) => one !== undefined).length === total;
  return complete ? { text: parts.join(""), parts: total } : undefined;
}

function receipt(session, pdu, id, state) {
  session.deliver_sm({
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2601010101 done date:2601010102 stat:${state} err:000 text:`,
  });
}

const server = smpp.createServer({ enable_proxy_protocol_detection: false }, (session) => {
  session.on("error", () => {});
  session.on("bind_transceiver", (pdu) => {
    const known = pdu.system_id === "docket" && pdu.password === "secret" && pdu.interface_version === 0x34;
    session.send(pdu.response({ command_status: known ? smpp.ESME_ROK : smpp.ESME_RBINDFAIL, system_id: "smsc" }));
    session.known = known;
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => session.send(pdu.response()));
  session.on("submit_sm", (pdu) => {
    const last = pdu.destination_addr.at(-1);
    const refused = { 9: smpp.ESME_RINVDSTADR, 8: smpp.ESME_RTHROTTLED }[last];
    if (!session.known || refused) {
      session.send(pdu.response({ command_status: refused ?? smpp.ESME_RINVBNDSTS }));
      return;
    }
    const id = `m${(taken += 1)}`;
    session.send(pdu.response({ message_id: id }));
    const message = whole(pdu);
    if (message) {
      const { source_addr: from, destination_addr: to, data_coding: coding } = pdu;
      console.log(JSON.stringify({ from, to, coding, ...message }));
    }
    if (pdu.registered_delivery & 1) receipt(session, pdu, id, last === "7" ? "UNDELIV" : "DELIVRD");
  });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0));

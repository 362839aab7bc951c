// A browser and its push service: takes what is pushed, opens it with the package http_ece, and checks who pushed it.
//
// Usage: node push.mjs
// Prints its port, then the subscription as JSON, then serves until its standard input ends. Every push is a line of JSON:
// its headers, the payload as it was opened, and what the signed token says. A path that is a number is answered with it.

import crypto from "node:crypto";
import http from "node:http";

import ece from "http_ece";

const browser = crypto.createECDH("prime256v1");
browser.generateKeys();
const auth = crypto.randomBytes(16);

/** The claims of a VAPID token, if the key beside it signed them. */
function claims(authorization) {
  const [, token, key] = /^vapid t=([^,]+), k=(.+)$/.exec(authorization);
  const [head, body, signature] = token.split(".");
  const point = Buffer.from(key, "base64url");
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  const genuine = crypto.verify(
    "sha256",
    Buffer.from(`${head}.${body}`),
    { key: crypto.createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
  return { genuine, alg: read(head).alg, key, ...read(body) };
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    try {
      const body = Buffer.concat(parts);
      const opened = ece.decrypt(body, { version: "aes128gcm", privateKey: browser, authSecret: auth.toString("base64url") });
      const { ttl, urgency, topic, "content-encoding": encoding } = request.headers;
      const line = { ttl, urgency, topic, encoding, token: claims(request.headers.authorization), said: JSON.parse(opened) };
      console.log(JSON.stringify(line));
      response.writeHead(Number(request.url.slice(1)) || 201).end();
    } catch (error) {
      console.log(JSON.stringify({ wrong: String(error) }));
      response.writeHead(400).end();
    }
  });
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const keys = { p256dh: browser.getPublicKey().toString("base64url"), auth: auth.toString("base64url") };
  console.log(port);
  console.log(JSON.stringify({ endpoint: `http://127.0.0.1:${port}/`, expirationTime: null, keys }));
});
process.stdin.resume().on("end", () => process.exit(0));

"""Follows a tenant's events with nothing but a subscriber's own credentials: one JSON line for each message, skips too.

subscriber.py URL NAME: the password is read from standard input. Ends when standard input closes.
"""

import asyncio
import json
import sys

import nats
from cloudevents.core.bindings.http import HTTPMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat
from nats.errors import Error, TimeoutError as NothingNew

BATCH = 100
STREAM = "DOCKET_OUT"


def seen(message):
    """What is told of a message: its place, and the event, if it is one."""
    sequence = message.metadata.sequence.stream
    if message.subject.endswith(".skip"):
        return {"sequence": sequence}
    event = from_binary_event(HTTPMessage(headers=message.headers, body=message.data), JSONFormat())
    return {
        "sequence": sequence,
        "id": event.get_id(),
        "kind": event.get_type().split(".")[2],
        "position": int(event.get_extension("sequence")),
        "tenant": event.get_extension("tenant"),
        "data": event.get_data(),
    }


async def follow(url, name, password):
    async def told(_):
        pass

    client = await nats.connect(
        url,
        user=name,
        password=password,
        inbox_prefix=f"_INBOX_{name}".encode(),
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        error_cb=told,
    )
    jetstream = client.jetstream(prefix="docket.api")
    durable = await jetstream.pull_subscribe_bind(name, stream=STREAM)
    while True:
        try:
            messages = await durable.fetch(BATCH, timeout=1)
        except NothingNew:
            continue
        except Error:  # the broker is away, or has not made the consumer yet
            await asyncio.sleep(0.2)
            continue
        for message in messages:
            print(json.dumps(seen(message), sort_keys=True), flush=True)
            await message.ack()


async def main():
    url, name = sys.argv[1:]
    password = sys.stdin.readline().strip()
    following = asyncio.ensure_future(follow(url, name, password))
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await asyncio.wait([following, ended], return_when=asyncio.FIRST_COMPLETED)
    if following.done():
        following.result()
    following.cancel()


asyncio.run(main())

"""What somebody with the house's own password does to the stream: bus.py DATA delete | stall.

`delete` deletes the stream. `stall` makes a durable consumer, takes what it is given and never acknowledges anything.
"""

import asyncio
import sys
import uuid
from pathlib import Path

import nats
from nats.js.api import AckPolicy, ConsumerConfig


async def connect(data):
    port = (data / "nats.port").read_text().strip()
    password = (data / "secret/nats.password").read_text().strip()
    return await nats.connect(f"nats://127.0.0.1:{port}", user="docket", password=password)


async def stall(stream):
    name = f"stalled-{uuid.uuid4()}"
    config = ConsumerConfig(durable_name=name, ack_policy=AckPolicy.EXPLICIT, max_ack_pending=1000)
    subscription = await stream.pull_subscribe("docket.v1.>", durable=name, stream="DOCKET", config=config)
    await subscription.fetch(200, timeout=5)


async def main(data, verb):
    connection = await connect(data)
    stream = connection.jetstream()
    await (stream.delete_stream("DOCKET") if verb == "delete" else stall(stream))
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))

"""A foreign mail server: takes every message and writes down what came.

Usage: mail.py FILE
Prints its port, then serves until its standard input ends. Each message taken is a line of FILE, on the disk before the
sender hears that it was taken: Message-ID, recipient, X-Docket-Reminder and subject, with tabs between.
"""

import asyncio
import email
import email.policy
import os
import sys

from aiosmtpd.smtp import SMTP


class Book:
    """Writes messages down."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")

    async def handle_DATA(self, _server, _session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        wanted = [message["Message-ID"], *envelope.rcpt_tos, message["X-Docket-Reminder"], message["Subject"]]
        self.file.write("\t".join(str(part) for part in wanted) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        return "250 taken"


async def serve(book):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(book, loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Book(sys.argv[1])))

"""A foreign mail server: takes every message and writes down what came.

Usage: mail.py FILE [--tls starttls|implicit --cert FILE --key FILE] [--login USER:PASSWORD] [--later N]
Prints its port, then serves until its standard input ends. Each message taken is a line of FILE, on the disk before the
sender hears that it was taken: Message-ID, recipient, X-Docket-Reminder and subject, with tabs between. With --tls nothing
is taken in clear, with --login from nobody else; of the first N messages it says, once they are written down, that they
cannot be taken now.
"""

import argparse
import asyncio
import email
import email.policy
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Book:
    """Writes messages down."""

    def __init__(self, path, later):
        self.file = open(path, "a", encoding="utf-8")
        self.later = later

    async def handle_DATA(self, _server, _session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        wanted = [message["Message-ID"], *envelope.rcpt_tos, message["X-Docket-Reminder"], message["Subject"]]
        self.file.write("\t".join(str(part) for part in wanted) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        if self.later > 0:
            self.later -= 1
            return "451 4.3.0 not now"
        return "250 taken"


def conversation(args, book, loop):
    """How a conversation is held: what must come before a message."""
    known = {"hostname": "localhost", "loop": loop}
    if args.login:
        user, password = args.login.encode().split(b":", 1)
        right = lambda _server, _session, _envelope, _way, data: AuthResult(
            success=(data.login, data.password) == (user, password), handled=False
        )
        known |= {"auth_required": True, "authenticator": right, "auth_require_tls": args.tls != "implicit"}
    context = None
    if args.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(args.cert, args.key)
    if args.tls == "starttls":
        known |= {"tls_context": context, "require_starttls": True}
    return (lambda: SMTP(book, **known)), (context if args.tls == "implicit" else None)


async def serve(args):
    loop = asyncio.get_running_loop()
    factory, context = conversation(args, Book(args.file, args.later), loop)
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--tls", choices=["starttls", "implicit"])
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--login")
    parser.add_argument("--later", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(serve(arguments()))

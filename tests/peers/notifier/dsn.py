"""A mail system's notification that a mail came back (RFC 3464), put together by Python's own email package.

Usage: dsn.py MESSAGE_ID ACTION STATUS
Prints it.
"""

import sys
from email.message import Message
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

message_id, action, status = sys.argv[1:]
host, recipient, returned = Message(), Message(), Message()
host["Reporting-MTA"] = "dns; mx.example.com"
recipient["Final-Recipient"] = "rfc822; sue@example.com"
recipient["Action"] = action
recipient["Status"] = status
recipient["Diagnostic-Code"] = "smtp; 550 5.1.1 <sue@example.com>: no such user"
returned["Message-ID"] = message_id
returned["Subject"] = "=?utf-8?B?5bey6LaF5pe2?="
returned.set_payload("...\n")
statuses = Message()
statuses.add_header("Content-Type", "message/delivery-status")
statuses.set_payload([host, recipient])

report = MIMEMultipart("report", report_type="delivery-status")
report["From"] = "MAILER-DAEMON@mx.example.com"
report["To"] = "docket@example.com"
report["Subject"] = "Undelivered Mail Returned to Sender"
report.attach(MIMEText("I could not deliver your mail.\n"))
report.attach(statuses)
report.attach(MIMEMessage(returned))
print(report.as_string())

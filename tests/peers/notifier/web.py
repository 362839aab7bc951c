"""The other sides of channels that speak HTTP, each as its own documents describe it.

Usage: web.py
Prints its port, then serves until its standard input ends. Every request is a line of JSON on standard output, after it was
checked; what is wrong with it is in "wrong" and answered as the real one would.

- POST /hook/SECRET: a receiver of Standard Webhooks, with the package of that name.
- POST /wecom?key=KEY, /dingtalk?access_token=TOKEN, /feishu/TOKEN: group robots. A key or token that begins with "code-" is
  answered with that code; DingTalk's and Feishu's check signatures made with the secret "SEC-" and the token.
- POST /2010-04-01/Accounts/AC1/Messages.json and Calls.json: Twilio. The number decides: the magic numbers of its
  documents are refused with their codes. What was taken is reported to StatusCallback; who is called presses 1.
"""

import base64
import hashlib
import hmac
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

# https://www.twilio.com/docs/iam/test-credentials
MAGIC = {"+15005550001": (400, 21211), "+15005550009": (400, 21614), "+15005550004": (429, 20429)}
BACK = "+15005550099"
LOGIN = "Basic " + base64.b64encode(b"AC1:token").decode()


def hook(path, headers, body):
    try:
        Webhook(path.removeprefix("/hook/")).verify(body, {name.lower(): value for name, value in headers.items()})
    except WebhookVerificationError as error:
        return 401, {}, str(error)
    return 204, {}, None


def coded(token):
    found = re.fullmatch(r"code-(-?\d+)", token or "")
    return int(found[1]) if found else 0


def wecom(query, said):
    if said.get("msgtype") != "markdown" or not 0 < len(said["markdown"]["content"].encode()) <= 4096:
        return {"errcode": 40008, "errmsg": "invalid message type"}, "message"
    code = coded(query.get("key"))
    return {"errcode": code, "errmsg": "ok" if code == 0 else "told to"}, None


def dingtalk(query, said):
    # https://open.dingtalk.com/document/robots/customize-robot-security-settings
    token, timestamp = query["access_token"], query.get("timestamp", "")
    secret = "SEC-" + token
    to_sign = f"{timestamp}\n{secret}".encode("utf-8")
    sign = base64.b64encode(hmac.new(secret.encode("utf-8"), to_sign, digestmod=hashlib.sha256).digest()).decode()
    if query.get("sign") != sign or abs(time.time() * 1000 - int(timestamp)) > 3_600_000:
        return {"errcode": 310000, "errmsg": "sign not match"}, "signature"
    if said.get("msgtype") != "markdown" or not said["markdown"]["title"] or not said["markdown"]["text"]:
        return {"errcode": 400402, "errmsg": "missing content"}, "message"
    code = coded(token)
    return {"errcode": code, "errmsg": "ok" if code == 0 else "told to"}, None


def feishu(path, said):
    # https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
    token = path.removeprefix("/feishu/")
    timestamp = said.get("timestamp", "0")
    to_sign = "{}\n{}".format(timestamp, "SEC-" + token)
    sign = base64.b64encode(hmac.new(to_sign.encode("utf-8"), digestmod=hashlib.sha256).digest()).decode("utf-8")
    if not isinstance(timestamp, str) or said.get("sign") != sign or abs(time.time() - int(timestamp)) > 3600:
        return {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}, "signature"
    posts = said.get("content", {}).get("post", {}) if said.get("msg_type") == "post" else {}
    for post in posts.values():
        if all(isinstance(line, list) and all("tag" in part for part in line) for line in post["content"]):
            code = coded(token)
            return {"code": code, "msg": "success" if code == 0 else "told to", "data": {}}, None
    return {"code": 9499, "msg": "Bad Request"}, "message"


def call_back(url, form):
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=20) as answer:
        return answer.read().decode()


def twilio(path, headers, form):
    if headers.get("Authorization") != LOGIN:
        return 401, {"code": 20003, "message": "Authenticate", "status": 401}, "login", None
    to = form.get("To", "")
    if not form.get("From") or not to:
        return 400, {"code": 21604, "message": "missing", "status": 400}, "form", None
    if to in MAGIC:
        status, code = MAGIC[to]
        return status, {"code": code, "message": "magic", "status": status}, None, None
    if path.endswith("/Messages.json"):
        if not 0 < len(form.get("Body", "")) <= 1600:
            return 400, {"code": 21617, "message": "too long", "status": 400}, "body", None
        state = {"MessageStatus": "undelivered", "ErrorCode": "30003"} if to == BACK else {"MessageStatus": "delivered"}
        later = lambda: call_back(form["StatusCallback"], {"MessageStatus": "sent"}) + call_back(form["StatusCallback"], state)
        return 201, {"sid": "SM1", "status": "queued", "error_code": None}, None, later
    said = ElementTree.fromstring(form["Twiml"])
    if said.tag != "Response" or not list(said.iter("Say")):
        return 400, {"code": 12100, "message": "Document parse failure", "status": 400}, "twiml", None
    if to == BACK:
        later = lambda: call_back(form["StatusCallback"], {"CallStatus": "no-answer"})
    else:
        key = lambda: [call_back(gather.get("action"), {"Digits": "1"}) for gather in said.iter("Gather")]
        later = lambda: [ElementTree.fromstring(twiml).tag for twiml in key()] + [
            call_back(form["StatusCallback"], {"CallStatus": "completed"})
        ]
    return 201, {"sid": "CA1", "status": "queued"}, None, later


class Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        said = json.loads(body) if "json" in self.headers.get("Content-Type", "") else dict(urllib.parse.parse_qsl(body.decode()))
        status, later = 200, None
        if url.path.startswith("/hook/"):
            status, answer, wrong = hook(url.path, self.headers, body)
        elif url.path == "/wecom":
            answer, wrong = wecom(query, said)
        elif url.path == "/dingtalk":
            answer, wrong = dingtalk(query, said)
        elif url.path.startswith("/feishu/"):
            answer, wrong = feishu(url.path, said)
        else:
            status, answer, wrong, later = twilio(url.path, self.headers, said)
        print(json.dumps({"path": url.path, "said": said, "wrong": wrong}), flush=True)
        text = b"" if status == 204 else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        if later:
            threading.Thread(target=report, args=(later,), daemon=True).start()

    def log_message(self, *_):
        pass


def report(later):
    try:
        print(json.dumps({"told": later()}), flush=True)
    except Exception as error:  # what went wrong is told to the test
        print(json.dumps({"told": str(error)}), flush=True)


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()

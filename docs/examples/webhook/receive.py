"""A department's endpoint: takes Polku's notices, and prints each once it is sure of the sender. Usage: receive.py PORT SECRET_FILE

Needs PyPI standardwebhooks. The secret is what `secret_file` of the subscription holds.
"""

import http.server
import json
import pathlib
import sys

from standardwebhooks import Webhook, WebhookVerificationError

port, secret_file = int(sys.argv[1]), pathlib.Path(sys.argv[2])
webhook = Webhook(secret_file.read_text().strip())
# A notice may come again under the same id. In earnest this lives in your database, beside what you do about the notice.
seen = set()


class Endpoint(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        # The signature is over the bytes as they came: verify before anything else looks at them.
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            message = webhook.verify(body, dict(self.headers))
        except WebhookVerificationError as fault:
            return self.answer(401, str(fault))
        if self.headers["webhook-id"] not in seen:
            seen.add(self.headers["webhook-id"])
            print(json.dumps({"id": self.headers["webhook-id"], **message}), flush=True)
        self.answer(204)

    def answer(self, status, text=""):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", port), Endpoint).serve_forever()

"""A stand-in for SendGrid's API: keeps what it is given and answers as a test says."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeSendGrid:
    def __init__(self, status: int = 202) -> None:
        self.status = status
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        #: An address for which the whole request is refused, as SendGrid does.
        self.refuses = ""
        self.headers: dict[str, str] = {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v3/mail/send"
                fake.keys.append(self.headers["Authorization"])
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                people = [each["to"][0]["email"] for each in body["personalizations"]]
                status = 400 if fake.refuses in people else fake.status
                if status == 202:
                    fake.requests.append(body)
                answer = b"" if status == 202 else b'{"errors":[{"message":"scripted"}]}'
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                for name, value in fake.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> "FakeSendGrid":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

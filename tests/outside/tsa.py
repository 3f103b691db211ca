#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tsa.py FOLDER: a timestamp authority for tests: `openssl ts -reply` behind HTTP on a free port of 127.0.0.1.

FOLDER holds tsa.cnf. Prints its URL, then serves until it is stopped. /busy answers 503, /garbage something else.
"""
import http.server, os, subprocess, sys, tempfile


class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        query = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/busy":
            return self.answer(503, b"later")
        if self.path == "/garbage":
            return self.answer(200, b"garbage")
        with tempfile.TemporaryDirectory() as d:
            q, r = os.path.join(d, "q"), os.path.join(d, "r")
            with open(q, "wb") as f:
                f.write(query)
            subprocess.run(["openssl", "ts", "-reply", "-config", "tsa.cnf", "-section", self.path[1:] or "tsa", "-queryfile", q, "-out", r],
                           cwd=sys.argv[1], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with open(r, "rb") as f:
                self.answer(200, f.read())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Authority)
print("http://127.0.0.1:%d/" % server.server_port, flush=True)
server.serve_forever()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tsa.py FOLDER: a timestamp authority for tests: `openssl ts -reply` behind HTTP on a free port of 127.0.0.1.

FOLDER holds tsa.cnf. Prints its URL, then serves until it is stopped. /NAME answers as that section, /busy 503, /garbage something
else. What openssl would not sign itself: /as/NAME is a good token's content, signed anew by NAME whatever its certificate may do;
/year/2020/NAME the same with another year in it.
"""
import http.server, os, subprocess, sys, tempfile


def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    length = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + body


def run(*words):
    subprocess.run(words, cwd=sys.argv[1], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sign_anew(d, response, name, year):
    """The TSTInfo in `response`, signed by `name`'s key, as a TimeStampResp."""
    token, info, out = (os.path.join(d, x) for x in ("token", "info", "out"))
    run("openssl", "ts", "-reply", "-in", response, "-token_out", "-out", token)
    run("openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-in", token, "-out", info)
    with open(info, "rb") as f:
        content = f.read()
    if year:
        at = content.index(b"\x18\x0f") + 2  # the GeneralizedTime
        content = content[:at] + year.encode() + content[at + 4:]
        with open(info, "wb") as f:
            f.write(content)
    run("openssl", "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-cades", "-md", "sha256", "-econtent_type", "1.2.840.113549.1.9.16.1.4",
        "-in", info, "-signer", name + ".pem", "-inkey", name + ".key", "-outform", "DER", "-out", out)
    with open(out, "rb") as f:
        return der(0x30, der(0x30, b"\x02\x01\x00"), f.read())


class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        query = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/busy":
            return self.answer(503, b"later")
        if self.path == "/garbage":
            return self.answer(200, b"garbage")
        words = self.path.strip("/").split("/")
        anew = words[0] in ("as", "year")
        with tempfile.TemporaryDirectory() as d:
            q, r = os.path.join(d, "q"), os.path.join(d, "r")
            with open(q, "wb") as f:
                f.write(query)
            subprocess.run(["openssl", "ts", "-reply", "-config", "tsa.cnf", "-section", "tsa" if anew else words[0] or "tsa", "-queryfile", q, "-out", r],
                           cwd=sys.argv[1], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if anew:
                return self.answer(200, sign_anew(d, r, words[-1], words[1] if words[0] == "year" else ""))
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

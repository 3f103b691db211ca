#!/usr/bin/env python3
"""audit.py KEY RECORDS HEAD...: the whole log, from its first record to its last.

KEY      verifier key of the log, from paper: the first one, or any that the log was handed over to
RECORDS  records.ndjson: one record a line
HEAD...  signed heads in any order: checkpoint, checkpoints/*.note, .tlog-proof files, heads kept elsewhere

The file policy beside RECORDS, where there is one, is held against what the records tell: which witnesses the log asks for.

Needs Python 3.6 and the program openssl (1.1.1 or newer). Prints what was checked and exits 0, or says what is wrong and exits 1.
Formats: C2SP signed-note and tlog-checkpoint; tree: RFC 6962.
"""
import base64, hashlib, json, os, subprocess, sys, tempfile


def bad(what):
    print("NOT GOOD: " + what)
    sys.exit(1)


def unb64(text):
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("not canonical base64")
    return raw


def read_key(text):
    name, key_id, b64 = text.strip().split("+", 2)
    raw = unb64(b64)
    if len(raw) != 33 or raw[0] != 1:
        raise ValueError("not an Ed25519 verifier key of a log")
    if hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] != key_id:
        raise ValueError("the key's id is not the one of its name and bytes")
    return name, bytes.fromhex(key_id), raw[1:]


def signature_good(key, text, signature):
    der = bytes.fromhex("302a300506032b6570032100") + key
    with tempfile.TemporaryDirectory() as d:
        names = []
        for what, content in (("pub", der), ("sig", signature), ("text", text)):
            names.append(os.path.join(d, what))
            with open(names[-1], "wb") as f:
                f.write(content)
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", names[0],
                               "-sigfile", names[1], "-in", names[2]], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0


def read_head(path, name):
    """Size, root, and what is to be checked when it is known which key signed then: path, text, [(key id, signature)]."""
    with open(path, "rb") as f:
        note = f.read()
    if note.startswith(b"c2sp.org/tlog-proof@v1\n"):
        note = note.split(b"\n\n", 1)[1]
    text, lines = note.rsplit(b"\n\n", 1)
    text += b"\n"
    if not lines.endswith(b"\n"):
        raise ValueError("the last line does not end")
    origin, size, root = text.decode().split("\n")[:3]
    if origin != name:
        bad("%s is of the log %s" % (path, origin))
    signed = []
    for line in lines.decode()[:-1].split("\n"):
        dash, who, b64 = line.split(" ")
        raw = unb64(b64)
        if dash != "\u2014" or not who or len(raw) < 5:
            raise ValueError("no signature line: " + line)
        if who == name:
            signed.append((raw[:4], raw[4:]))
    if str(int(size)) != size:
        bad("%s has no good size" % path)
    return int(size), unb64(root), (path, text, signed)


class Keys:
    """The key that signs, one after another: record 0 names the first and promises the next by its SHA-256, key_rotate hands over
    to that one, by a head that both sign, and promises the one after it; behind key_retire nothing is signed."""
    def __init__(self, name, given):
        self.name, self.given, self.all, self.promise = name, given, [], None  # all: [id, key, first size, last size]
        self.handovers = []

    def add(self, n, record, first):
        try:
            name, key_id, key = read_key(str(record.get("vkey")))
        except ValueError as e:
            bad("record %d names no key: %s" % (n, e))
        if name != self.name:
            bad("record %d names a key of the log %s" % (n, name))
        if self.all and hashlib.sha256(key).hexdigest() != self.promise:
            bad("record %d hands over to the key %s, which was not promised before" % (n, key_id.hex()))
        self.all.append([key_id, key, first, 1 << 63])
        self.promise = record.get("next")

    def learn(self, n, record):
        event = record.get("event")
        if n == 0 and "vkey" in record:
            self.add(n, record, 0)
        elif self.all and event in ("key_rotate", "key_retire"):
            if self.all[-1][3] != 1 << 63:
                bad("record %d stands behind the end of the log" % n)
            self.all[-1][3] = n + 1
            if event == "key_rotate":
                self.add(n, record, n + 1)
                self.handovers.append(n + 1)

    def check(self, size, path, text, signed):
        """By how many of the keys that may sign a head of this size it is signed; each of their signatures must be good."""
        may = dict((k[0], k[1]) for k in self.all or [[self.given[0], self.given[1], 0, 1 << 63]] if k[2] <= size <= k[3])
        for key_id, signature in signed:
            if key_id in may and (len(signature) != 64 or not signature_good(may[key_id], text, signature)):
                bad("the signature of %s is not good" % path)
        by = set(key_id for key_id, _ in signed if key_id in may)
        if not by:
            bad("%s is not signed by a key that may sign a head of %d records of this log" % (path, size))
        return len(by)

    def end(self, heads):
        if self.all and not [k for k in self.all if (k[0], k[1]) == self.given]:
            bad("this log never had the key that was given")
        both = set()
        for size in sorted(heads):
            for head in heads[size][1]:
                if self.check(size, *head) == 2:
                    both.add(size)
        for size in self.handovers:
            if size not in both:
                bad("record %d hands over the key, and no head of %d records that both keys signed was given (checkpoints/%d.note)"
                    % (size - 1, size, size))


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(peaks):
    root = None
    for peak in reversed([p for _, p in peaks]):
        root = peak if root is None else node(peak, root)
    return hashlib.sha256(b"").digest() if root is None else root


def check_policy(path, told):
    try:
        with open(path, "rb") as f:
            policy = f.read()
    except OSError:
        return
    n, text = told
    if text:
        same = text in (policy.decode("utf-8", "replace"), "SHA-256 %s, %d bytes" % (hashlib.sha256(policy).hexdigest(), len(policy)))
    else:  # nobody is asked for
        words = [line.split() for line in policy.decode("utf-8", "replace").split("\n")]
        same = not [w for w in words if w and w[0] != "log" and not w[0].startswith("#") and w != ["quorum", "none"]]
    if not same:
        bad("%s is not the policy that record %d tells: it was exchanged" % (path, n))


def job_digest(record):
    return hashlib.sha256(str(record["job"]).encode()).digest()


def ends_attempt(record):
    return record.get("event") in ("attempt_result", "interrupted") and "job" in record


class Once:
    """Has every attempt one end? One bit for each job while the log is read; those whose bit was set before are looked at again."""
    def __init__(self):
        self.bits, self.again = bytearray(1 << 27), set()

    def take(self, record):
        digest = job_digest(record)
        at = int.from_bytes(digest[:4], "big") >> 2
        if self.bits[at >> 3] >> (at & 7) & 1:
            self.again.add(digest)
        self.bits[at >> 3] |= 1 << (at & 7)

    def end(self, path):
        ended = set()
        with open(path, "rb") as f:
            for n, line in enumerate(f if self.again else ()):
                record = json.loads(line.decode())
                if not ends_attempt(record) or job_digest(record) not in self.again:
                    continue
                if record["job"] in ended:
                    bad("record %d ends an attempt that has an end already: one job, two results" % n)
                ended.add(record["job"])


def main():
    if len(sys.argv) < 4:
        print(__doc__)
        sys.exit(2)
    try:
        name, key_id, key = read_key(sys.argv[1])
    except ValueError as e:
        bad("the key: %s" % e)
    heads, forks = {}, []
    for path in sys.argv[3:]:
        try:
            size, root, head = read_head(path, name)
        except (OSError, ValueError, IndexError) as e:
            bad("%s is no signed head: %s" % (path, e))
        heads.setdefault(size, (root, []))[1].append(head)
        if heads[size][0] != root:
            forks.append("%s and %s are two different heads of %d records: a fork" % (heads[size][1][0][0], path, size))
    peaks = []  # the largest complete subtrees so far, as (size, hash): enough to go on and to tell the root
    n = agreed = 0
    kinds = {}
    once, told, keys, wrong = Once(), None, Keys(name, (key_id, key)), []
    with open(sys.argv[2], "rb") as f:
        for line in f:
            record = line[:-1] if line.endswith(b"\n") else line
            peaks.append((1, hashlib.sha256(b"\0" + record).digest()))
            while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
                (count, left), (_, right) = peaks[-2:]
                peaks[-2:] = [(2 * count, node(left, right))]
            try:
                r = json.loads(record.decode())
            except ValueError:
                bad("record %d is no JSON: it was changed" % n)
            if r.get("seq") != n or r.get("log") != name:
                bad("in place %d stands record %s of the log %s" % (n, r.get("seq"), r.get("log")))
            kinds[r.get("event")] = kinds.get(r.get("event"), 0) + 1
            keys.learn(n, r)
            if ends_attempt(r):
                once.take(r)
            if n == 0 and "policy" in r:
                told = (n, r["policy"])
            if r.get("event") == "config" and r.get("what") == "policy":
                told = (n, r["text"])
            n += 1
            if n in heads:
                if root_of(peaks) == heads[n][0]:
                    agreed = n
                else:
                    wrong.append("records %d to %d are not those under the signed head %s: at least one was changed, moved, removed or inserted"
                                 % (agreed, n - 1, heads[n][1][0][0]))
    keys.end(heads)  # first of all: what nobody signed says nothing
    for what in (forks + wrong)[:1]:
        bad(what)
    if max(heads) > n:
        bad("%s covers %d records, here are %d: the last ones are gone" % (heads[max(heads)][1][0][0], max(heads), n))
    if max(heads) < n:
        bad("records %d to %d are behind the newest signed head" % (max(heads), n - 1))
    once.end(sys.argv[2])
    if told:
        check_policy(os.path.join(os.path.dirname(sys.argv[2]), "policy"), told)
    print("good: %d records of %s, %d signed heads, root %s" % (n, name, len(heads), base64.b64encode(heads[n][0]).decode()))
    print("  " + ", ".join("%d %s" % (kinds[k], k) for k in sorted(kinds, key=str)))
    if keys.handovers:
        print("  %d keys one after another, handed over at the heads of %s records" % (len(keys.all), ", ".join(map(str, keys.handovers))))


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tamper.py FLASHLINE DIR SEED SEEDS: data folders changed at random, and what audit, db check and a start say of them.

DIR holds what tests/long/tampered.sh made: folders of one station over time (A.0, A.1 ...; the newest, and A.kill, left behind by a
kill, are changed), of another (B.0 ...), A.vkey, A.head. Each seed is one folder, changed once or twice. Then one of these holds:

  seen    audit, db check or a start ends with another code than 0, and says why
  same    no file and no row is another than before
  healed  a start gives every record back that was there, byte for byte, and finds nothing wrong
  known   what differs is in station/audit/README.md under "what nobody notices"

Anything else is a failure, as is a program that hangs, crashes or says nothing, and an untouched folder that is accused."""
import hashlib, os, random, shutil, sqlite3, stat, subprocess, sys

FL, DIR, FIRST, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
KEY = open(DIR + "/A.vkey").read().strip()
WORK = DIR + "/work"
SECONDS = 120  # for what takes a tenth of one


def run(*args):
    try:
        p = subprocess.run([FL, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
        return p.returncode, p.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        return "hangs", ""


def fresh(source, to):
    subprocess.run(["rm", "-rf", to], check=True)
    subprocess.run(["cp", "-a", source, to], check=True)


def names(folder):
    return sorted(os.path.relpath(os.path.join(p, f), folder) for p, _, fs in os.walk(folder) for f in fs)


# ---- what is in a folder, whatever the bytes of its database are

def rows(db, table):
    if table == "outbox":  # the rest of a row is about when, and no record tells it
        return db.execute("SELECT kind, target, job, leaf, payload FROM outbox WHERE leaf IS NOT NULL").fetchall()
    return db.execute('SELECT * FROM "%s"' % table).fetchall()


def content(folder):
    out = {}
    for name in names(folder):
        path = os.path.join(folder, name)
        plain = stat.S_ISREG(os.lstat(path).st_mode)
        if not name.startswith("flashline.db") and name != "lock":
            out[name] = hashlib.sha256(open(path, "rb").read()).hexdigest() if plain else "no file"
        elif not plain:
            out["db"] = "no file"
    copy = WORK + "/look"
    subprocess.run(["rm", "-rf", copy], check=True)
    os.mkdir(copy)
    for name in ("flashline.db", "flashline.db-wal"):
        if os.path.isfile(os.path.join(folder, name)):
            shutil.copy(os.path.join(folder, name), copy)
    db = sqlite3.connect(copy + "/flashline.db")
    db.text_factory = bytes
    try:
        for table, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            out["db " + table.decode()] = sorted(map(repr, rows(db, table.decode())))
        out["db schema"] = repr(db.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall())
        out["db version"] = repr(db.execute("PRAGMA user_version").fetchall())
    except sqlite3.Error as e:
        out["db"] = str(e)
    db.close()
    return out


def differing(before, now):
    more = lambda k: k == "db shape" and set(before[k]) < set(now.get(k, ()))  # one that no record uses
    fewer = lambda k: k == "db checkpoint" and set(now.get(k, ())) < set(before[k])
    return {"fewer heads" if fewer(k) else k for k in set(before) | set(now) if before.get(k) != now.get(k) and not more(k)}


# What nobody notices: station/audit/README.md says what comes of each.
KNOWN = ("key/memory.", "key/next.", "cosigned/", "policy", "checkpoint", "station", "README", "fewer heads")


# ---- changes: each takes the random numbers and the folder, and says what it did

def pick(r, folder):
    plain = [f for f in names(folder) if f not in ("lock", "flashline.db-shm") and os.path.isfile(os.path.join(folder, f))]
    base = [f for f in plain if f.startswith("flashline.db")]
    return r.choice(base if base and r.random() < 0.5 else plain)


def change_bytes(r, folder):
    name = pick(r, folder)
    path = os.path.join(folder, name)
    b = bytearray(open(path, "rb").read())
    at, n = r.randrange(len(b) + 1), r.choice([1, 2, 16, 100, 4096])
    how = r.choice(["flipped", "put in", "taken out", "cut", "zeroed", "copied from elsewhere"])
    if how == "flipped" and b:
        for _ in range(r.choice([1, 1, 2, 8, 50])):
            b[r.randrange(len(b))] ^= 1 << r.randrange(8)
    elif how == "put in":
        b[at:at] = bytes(r.randrange(256) for _ in range(n))
    elif how == "taken out":
        del b[at:at + n]
    elif how == "cut":
        del b[at:]
    elif how == "zeroed":
        b[at:at + n] = bytes(len(b[at:at + n]))
    else:
        b[at:at + n] = b[:n] if r.random() < 0.5 else b[-n:]
    open(path, "wb").write(b)
    return "%s: %s at %d" % (name, how, at)


def of(r, folder, source, some):
    for name in some:
        there, here = os.path.join(source, name), os.path.join(folder, name)
        if os.path.isfile(there):
            os.makedirs(os.path.dirname(here), exist_ok=True)
            shutil.copy(there, here)
        elif os.path.lexists(here):
            os.unlink(here)
    return "of %s: %s" % (os.path.basename(source), " ".join(some))


def older(r, folder):
    every = names(folder)
    some = r.choice([[pick(r, folder)], r.sample(every, r.randrange(1, len(every))), [f for f in every if "memory" not in f],
                     [f for f in every if f.startswith(("flashline.db", "checkpoint", "cosigned"))]])
    return of(r, folder, DIR + "/A.%d" % r.randrange(3), some)


def of_another(r, folder):
    return of(r, folder, DIR + "/B.%d" % r.randrange(3), [pick(r, folder)])


def taken_away(r, folder):
    name, to = pick(r, folder), r.choice([None, pick(r, folder)])
    if to:
        os.rename(os.path.join(folder, name), os.path.join(folder, to))
    else:
        os.unlink(os.path.join(folder, name))
    return "%s: %s" % (name, "now " + to if to else "removed")


def no_file(r, folder):
    name, what = pick(r, folder), r.choice(["folder", "pipe", "/dev/zero", "nowhere", "empty"])
    path = os.path.join(folder, name)
    os.unlink(path)
    if what == "folder":
        os.mkdir(path)
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "empty":
        open(path, "w").close()
    else:
        os.symlink(what, path)
    return "%s: %s" % (name, what)


def value(r, v, others):
    k = r.randrange(5)
    if k == 0:
        return r.choice(others)
    if k == 1:
        return r.choice([None, 0, 1, -1, 2**63 - 1, "", "evil", "PASS"])
    if isinstance(v, int):
        return max(-2**63, min(2**63 - 1, v ^ 1 << r.randrange(12) if k == 2 else v + r.choice([-1, 1, 3600000])))
    if isinstance(v, bytes) and v:
        i = r.randrange(len(v))
        return v[:i] + bytes([v[i] ^ 1 << r.randrange(8)]) + v[i + 1:]
    return str(v)[:-1] + "x"


def edit_row(r, db, table):
    columns = [c[1] for c in db.execute('PRAGMA table_info("%s")' % table)]
    all_of = db.execute('SELECT rowid, * FROM "%s" ORDER BY rowid' % table).fetchall()
    row = r.choice(all_of)
    at, how = r.randrange(len(columns)), r.choice(["set", "set", "set", "exchanged", "deleted", "doubled"])
    name = columns[at]
    if how == "set":
        db.execute('UPDATE "%s" SET "%s" = ? WHERE rowid = ?' % (table, name), (value(r, row[at + 1], [o[at + 1] for o in all_of]), row[0]))
    elif how == "exchanged":
        other = r.choice(all_of)
        db.execute('UPDATE "%s" SET "%s" = ? WHERE rowid = ?' % (table, name), (other[at + 1], row[0]))
        db.execute('UPDATE "%s" SET "%s" = ? WHERE rowid = ?' % (table, name), (row[at + 1], other[0]))
    elif how == "deleted":
        db.execute('DELETE FROM "%s" WHERE rowid = ?' % table, (row[0],))
    else:
        new = list(row[1:])
        new[0] = max(o[0] for o in all_of) + 1 if isinstance(new[0], int) else value(r, new[0], [new[0]])
        db.execute('INSERT INTO "%s" VALUES (%s)' % (table, ", ".join("?" * len(new))), new)
    return "%s.%s of %s %s" % (table, name, row[0], how)


def structure(r, db, table):
    what = r.choice(['DELETE FROM "%s"' % table, "CREATE TABLE evil (x)", 'ALTER TABLE "%s" ADD COLUMN evil' % table,
                     "CREATE TRIGGER evil AFTER INSERT ON leaf BEGIN DELETE FROM outbox; END", "PRAGMA user_version = %d" % r.choice([0, 5, 999]),
                     "DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)", "DROP VIEW attempt_view"])
    db.execute(what)
    return what


def in_tables(r, folder):
    db = sqlite3.connect(folder + "/flashline.db", isolation_level=None)
    db.executescript("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; BEGIN")
    triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        db.execute('DROP TRIGGER "%s"' % name)
    tables = [t for t, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%WITHOUT ROWID%' ORDER BY 1").fetchall()]
    tables = [t for t in tables if db.execute('SELECT count(*) FROM "%s"' % t).fetchone()[0]]
    did = []
    for _ in range(r.choice([1, 1, 1, 2, 5])):
        try:
            did.append((structure if r.random() < 0.15 else edit_row)(r, db, r.choice(tables + ["leaf", "checkpoint", "outbox", "attempt"])))
        except sqlite3.Error as e:
            did.append("(%s)" % e)
    for _, sql in triggers:
        db.execute(sql)
    db.execute("COMMIT")
    db.close()
    return "; ".join(did)


CHANGES = [change_bytes] * 5 + [older] * 4 + [of_another] * 2 + [taken_away] * 2 + [no_file] * 2 + [in_tables] * 8


# ---- what is said of it

def asked(folder):
    said = {"audit": run("audit", "--data", folder, "--key", KEY), "with a head": run("audit", "--data", folder, "--key", KEY, "--head", DIR + "/A.head"),
            "db check": run("db", "check", "--data", folder)}
    went_on = WORK + "/went-on"
    fresh(folder, went_on)
    said["start"] = run("note", "--lot", "L-1", "seen", "--data", went_on)
    if said["start"][0] == 0:
        said["after it"] = run("audit", "--data", went_on, "--key", KEY, "--head", DIR + "/A.head")
    return said, content(went_on) if said["start"][0] == 0 else {}


def judge(before, folder):
    differs = differing(before, content(folder))
    said, after = asked(folder)
    for who, (code, text) in said.items():
        if code == "hangs" or code < 0 or code > 40 or (code and not text.strip()) or "runtime error" in text:
            return "FAILED: %s: %s: %s" % (who, code, text[-2000:]), differs
    if any(code for code, _ in said.values()):
        return "seen", differs
    if not differs:
        return "same", differs
    if all(d.startswith(KNOWN) for d in differs):
        return "known", differs
    lost = [t for t in before if t in ("db leaf", "db outbox") and not set(before[t]) <= set(after.get(t, []))]
    return "FAILED: nobody noticed" if lost or "A.kill" not in folder else "healed", differs


def main():
    count, failed = {}, 0
    os.makedirs(WORK, exist_ok=True)
    before = {}
    for base in ("A.3", "A.kill"):
        fresh(DIR + "/" + base, WORK + "/" + base)
        before[base] = content(WORK + "/" + base)
        said, _ = asked(WORK + "/" + base)
        if any(code for code, _ in said.values()):
            sys.exit("an untouched folder is accused: %s" % said)
    for seed in range(FIRST, FIRST + COUNT):
        r = random.Random(seed)
        base = r.choice(sorted(before))
        fresh(DIR + "/" + base, WORK + "/" + base)
        did = []
        for _ in range(r.choice([1, 1, 1, 2])):
            try:
                did.append(r.choice(CHANGES)(r, WORK + "/" + base))
            except (sqlite3.Error, OSError, IndexError) as e:  # the second one found no database any more
                did.append("(%s)" % e)
        verdict, differs = judge(before[base], WORK + "/" + base)
        count[verdict.split(":")[0]] = count.get(verdict.split(":")[0], 0) + 1
        if verdict.startswith("FAILED"):
            failed += 1
            print("seed %d, %s: %s\n  %s\n  differs: %s" % (seed, base, verdict, "\n  ".join(did), " ".join(sorted(differs))), flush=True)
    print(", ".join("%d %s" % (count[k], k) for k in sorted(count)))
    sys.exit(failed != 0)


main()

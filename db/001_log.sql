-- SPDX-License-Identifier: Apache-2.0
-- 001: the signed log. These three tables are the truth; everything else can be made again from `leaf`.
-- db/README.md explains every table and column.

PRAGMA application_id = 1179407440; -- "FLSP"

CREATE TABLE event_kind (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO event_kind (id, name) VALUES
  (1, 'log_open'), (2, 'boot'), (3, 'attempt_start'), (4, 'attempt_result'), (5, 'interrupted'),
  (6, 'profile'), (7, 'clock_step'), (8, 'heartbeat'), (9, 'log_close');

CREATE TABLE leaf (
  idx  INTEGER PRIMARY KEY CHECK (idx >= 0),
  rec  BLOB NOT NULL CHECK (length(rec) BETWEEN 2 AND 65535),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  kind INTEGER NOT NULL REFERENCES event_kind (id),
  job  BLOB CHECK (length(job) IN (16, 32))
) STRICT;
-- one job has at most one leaf of a kind: doing it twice is impossible, not just unlikely
CREATE UNIQUE INDEX leaf_job ON leaf (job, kind) WHERE job IS NOT NULL;

CREATE TABLE node (
  id   INTEGER PRIMARY KEY CHECK (id >= 2),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE checkpoint (
  size      INTEGER PRIMARY KEY CHECK (size > 0),
  root      BLOB NOT NULL CHECK (length(root) = 32),
  key       INTEGER NOT NULL CHECK (key BETWEEN 0 AND 4294967295),
  signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;

-- A seat-belt against our own mistakes, no wall against people: that is what signatures are for.
CREATE TRIGGER leaf_in_order BEFORE INSERT ON leaf
WHEN NEW.idx <> (SELECT coalesce(max(idx) + 1, 0) FROM leaf)
BEGIN SELECT RAISE(ABORT, 'leaves are appended in order'); END;
CREATE TRIGGER leaf_no_update BEFORE UPDATE ON leaf BEGIN SELECT RAISE(ABORT, 'leaves never change'); END;
CREATE TRIGGER leaf_no_delete BEFORE DELETE ON leaf BEGIN SELECT RAISE(ABORT, 'leaves never go'); END;
CREATE TRIGGER node_no_update BEFORE UPDATE ON node BEGIN SELECT RAISE(ABORT, 'tree nodes never change'); END;
CREATE TRIGGER node_no_delete BEFORE DELETE ON node BEGIN SELECT RAISE(ABORT, 'tree nodes never go'); END;
CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoints never change'); END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoints never go'); END;

-- The records as text, for people and for JSON functions.
CREATE VIEW record AS
SELECT l.idx AS leaf, k.name AS event, CAST(l.rec AS TEXT) AS rec
FROM leaf l JOIN event_kind k ON k.id = l.kind;

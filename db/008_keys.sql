-- SPDX-License-Identifier: Apache-2.0
-- 008: one key after another. db/README.md explains it.

INSERT INTO event_kind (id, name) VALUES (24, 'key_rotate'), (25, 'key_retire');

-- the second signature of a head at which one key hands over to the next
CREATE TABLE handover (
  size      INTEGER PRIMARY KEY REFERENCES checkpoint (size),
  key       INTEGER NOT NULL CHECK (key BETWEEN 1 AND 4294967295),
  signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
CREATE TRIGGER handover_no_update BEFORE UPDATE ON handover BEGIN SELECT RAISE(ABORT, 'hand-overs never change'); END;
CREATE TRIGGER handover_no_delete BEFORE DELETE ON handover BEGIN SELECT RAISE(ABORT, 'hand-overs never go'); END;

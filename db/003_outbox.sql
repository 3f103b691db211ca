-- SPDX-License-Identifier: Apache-2.0
-- 003: what is to leave the station. Written in the transaction of the record that it follows from, sent only after
-- that. No projection of the leaves, and nothing that a signature speaks for. db/README.md explains every column.

CREATE TABLE outbox (
  id      INTEGER PRIMARY KEY,
  kind    TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 39),
  target  TEXT NOT NULL CHECK (length(target) <= 255),
  job     TEXT NOT NULL CHECK (length(job) BETWEEN 1 AND 99),
  leaf    INTEGER REFERENCES leaf (idx),
  payload BLOB NOT NULL,
  made_ms INTEGER NOT NULL,
  state   INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2),
  tries   INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  next_ms INTEGER NOT NULL,
  done_ms INTEGER,
  why     TEXT,
  UNIQUE (kind, target, job)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (kind, next_ms) WHERE state = 0;

-- SPDX-License-Identifier: Apache-2.0
-- 005: kinds of records that proofs are made of. db/README.md explains them.

INSERT INTO event_kind (id, name) VALUES
  (10, 'unit_final'), (11, 'anchor');

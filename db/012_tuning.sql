-- SPDX-License-Identifier: Apache-2.0
-- What a slot learned about a kind of bridge, whole, so that a station that starts again goes on from there; and what a
-- line did to an attempt's bytes. Described in README.md.

ALTER TABLE tuning ADD COLUMN ram_block INTEGER;
ALTER TABLE tuning ADD COLUMN flash_block INTEGER;
ALTER TABLE tuning ADD COLUMN burst INTEGER;
ALTER TABLE tuning ADD COLUMN gap_us INTEGER;
ALTER TABLE tuning ADD COLUMN rom_only INTEGER;

-- the newest of each slot and kind of bridge: the one that holds
CREATE VIEW tuning_now AS
SELECT leaf, at_ms, slot, port, usb_id, driver, what, baud, ram_block, flash_block, burst, gap_us, rom_only
FROM (SELECT t.leaf, t.at_ms, s.slot, s.port, coalesce(b.usb_id, '') AS usb_id, coalesce(b.driver, '') AS driver, t.what,
             t.baud, t.ram_block, t.flash_block, t.burst, t.gap_us, t.rom_only,
             row_number() OVER (PARTITION BY s.slot, s.port, coalesce(b.usb_id, ''), coalesce(b.driver, '')
                                ORDER BY t.leaf DESC) AS newest
      FROM tuning t JOIN slot s ON s.id = t.slot LEFT JOIN bridge b ON b.id = t.bridge)
WHERE newest = 1;

-- the bridge's members stand in the record that `as`[0] names, where this one leaves them out (009_abridged.sql)
CREATE VIEW attempt_link AS
SELECT a.leaf, json_extract(CAST(o.rec AS TEXT), '$.bridge.product') AS product,
       json_extract(CAST(o.rec AS TEXT), '$.bridge.mbps') AS mbps,
       json_extract(CAST(o.rec AS TEXT), '$.bridge.latency_ms') AS latency_ms,
       json_extract(CAST(o.rec AS TEXT), '$.bridge.low_latency') AS low_latency
FROM attempt a JOIN leaf l ON l.idx = a.leaf
JOIN leaf o ON o.idx = iif(json_extract(CAST(l.rec AS TEXT), '$.as[0]') >= 0, json_extract(CAST(l.rec AS TEXT), '$.as[0]'), l.idx);

CREATE VIEW attempt_damage AS
SELECT a.leaf, coalesce(json_extract(CAST(l.rec AS TEXT), '$.damage.refused'), 0) AS refused,
       coalesce(json_extract(CAST(l.rec AS TEXT), '$.damage.lost'), 0) AS lost,
       coalesce(json_extract(CAST(l.rec AS TEXT), '$.damage.changed'), 0) AS changed,
       coalesce(json_extract(CAST(l.rec AS TEXT), '$.damage.silent'), 0) AS silent,
       coalesce(json_extract(CAST(l.rec AS TEXT), '$.damage.cut'), 0) AS cut
FROM attempt a JOIN leaf l ON l.idx = a.leaf
WHERE json_extract(CAST(l.rec AS TEXT), '$.damage') IS NOT NULL;

CREATE VIEW attempt_block AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS baud, json_extract(j.value, '$[1]') AS bytes,
       json_extract(j.value, '$[2]') AS sent, json_extract(j.value, '$[3]') AS refused
FROM attempt a JOIN leaf l ON l.idx = a.leaf, json_each(CAST(l.rec AS TEXT), '$.damage.blocks') j;

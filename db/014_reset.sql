-- SPDX-License-Identifier: Apache-2.0
-- Two more things that a slot learns about a kind of bridge, so that a station that starts again need not learn them anew.
-- Described in README.md.

ALTER TABLE tuning ADD COLUMN slow_reset INTEGER;
ALTER TABLE tuning ADD COLUMN late_speed INTEGER;

DROP VIEW tuning_now;
CREATE VIEW tuning_now AS
SELECT leaf, at_ms, slot, port, usb_id, driver, what, baud, ram_block, flash_block, burst, gap_us, rom_only, slow_reset, late_speed
FROM (SELECT t.leaf, t.at_ms, s.slot, s.port, coalesce(b.usb_id, '') AS usb_id, coalesce(b.driver, '') AS driver, t.what,
             t.baud, t.ram_block, t.flash_block, t.burst, t.gap_us, t.rom_only, t.slow_reset, t.late_speed,
             row_number() OVER (PARTITION BY s.slot, s.port, coalesce(b.usb_id, ''), coalesce(b.driver, '')
                                ORDER BY t.leaf DESC) AS newest
      FROM tuning t JOIN slot s ON s.id = t.slot LEFT JOIN bridge b ON b.id = t.bridge)
WHERE newest = 1;

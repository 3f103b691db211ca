-- SPDX-License-Identifier: Apache-2.0
-- 009: records that leave out what an earlier one has told (station/rows/abridge.h): the views that take records apart
-- look there. `as`[1] is the record that tells names of steps, plan of regions and security state in full.

DROP VIEW attempt_step;
CREATE VIEW attempt_step AS
SELECT a.leaf, j.key AS n, coalesce(json_extract(CAST(b.rec AS TEXT), '$.steps[' || j.key || '][0]'), json_extract(j.value, '$[0]')) AS step,
       iif(b.idx IS NULL, json_extract(j.value, '$[1]'), iif(j.type = 'array', json_extract(j.value, '$[0]'), j.atom)) AS ms
FROM attempt a JOIN leaf l ON l.idx = a.leaf
LEFT JOIN leaf b ON b.idx = json_extract(CAST(l.rec AS TEXT), '$.as[1]')
JOIN json_each(CAST(l.rec AS TEXT), '$.steps') j;

DROP VIEW attempt_region;
CREATE VIEW attempt_region AS
SELECT leaf, n, offset, size, md5_expected, coalesce(found, iif(letter IN ('v', 's'), md5_expected, NULL)) AS md5_found,
       CASE letter WHEN 's' THEN 'skipped' WHEN 'v' THEN 'verified' WHEN 'b' THEN 'bad' WHEN 'w' THEN 'written' ELSE 'pending' END AS state
FROM (SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS offset, json_extract(j.value, '$[1]') AS size,
             json_extract(j.value, '$[2]') AS md5_expected,
             iif(b.idx IS NULL, json_extract(j.value, '$[3]'),
                 substr(json_extract(CAST(l.rec AS TEXT), '$.regions'), j.key + 1, 1)) AS letter,
             iif(b.idx IS NULL, json_extract(j.value, '$[4]'),
                 (SELECT json_extract(f.value, '$[1]') FROM json_each(CAST(l.rec AS TEXT), '$.found') f
                  WHERE json_extract(f.value, '$[0]') = j.key)) AS found
      FROM attempt a JOIN leaf l ON l.idx = a.leaf
      LEFT JOIN leaf b ON b.idx = json_extract(CAST(l.rec AS TEXT), '$.as[1]')
      JOIN json_each(CAST(coalesce(b.rec, l.rec) AS TEXT), '$.regions') j);

DROP VIEW attempt_security;
CREATE VIEW attempt_security AS
SELECT a.leaf, json_extract(CAST(s.rec AS TEXT), '$.secure_boot') AS secure_boot,
       json_extract(CAST(s.rec AS TEXT), '$.flash_encryption') AS flash_encryption,
       json_extract(CAST(s.rec AS TEXT), '$.secure_download') AS secure_download,
       json_extract(CAST(s.rec AS TEXT), '$.jtag_off') AS jtag_off,
       json_extract(CAST(s.rec AS TEXT), '$.security_flags') AS flags
FROM attempt a JOIN leaf l ON l.idx = a.leaf
JOIN leaf s ON s.idx = iif(json_extract(CAST(l.rec AS TEXT), '$.as[1]') >= 0, json_extract(CAST(l.rec AS TEXT), '$.as[1]'), l.idx);

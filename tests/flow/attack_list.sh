#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The list of attacks on a log, and the test that makes each (H: what somebody would try who knows this program): this checks
# that none has lost its test. What must come of each is
# in station/audit/README.md, "What an attack gives". Where nothing inside a log can show an attack, the test shows both: that it
# passes alone, and that a head kept elsewhere (a certificate, a witness, a timestamp) gives it away.
set -eu
n=0
while IFS='|' read -r id file needle; do
    [ -n "$id" ] || continue
    grep -qF -- "$needle" "tests/$file" || { echo "FAILED: attack $id has no test any more: '$needle' is not in tests/$file"; exit 1; }
    n=$((n + 1))
done <<'LIST'
E1 a bit changed, every field|unit/audit/t_verify.c|static void sweep
E1 a word changed|unit/record/t_tamper.c|{"E1"
E1 in a bundle|flow/bundle.sh|"a word in a record"
E2 and its hash|unit/record/t_tamper.c|{"E2"
E3 and the tree and the root|unit/audit/t_verify.c|{"E3"
E4 white space|unit/audit/t_verify.c|{"E4 white space"
E4 order of members|unit/audit/t_verify.c|{"E4 order"
E4 form of a number|unit/audit/t_verify.c|{"E4 number"
E5 the columns beside a record|unit/record/t_tamper.c|{"E5 kind"
E6 a member twice|unit/audit/t_verify.c|{"E6"
D1 a record removed|unit/record/t_tamper.c|{"D1"
D2 and the rest renumbered|unit/record/t_tamper.c|{"D2 and seq"
D3 and all rebuilt without the key|unit/audit/t_verify.c|{"D3"
R1 two exchanged|unit/record/t_tamper.c|{"R1"
R2 and renumbered|unit/audit/t_verify.c|{"R2"
I1 one inserted|unit/audit/t_verify.c|{"I1 in the middle"
I2 an old one again|unit/record/t_tamper.c|{"I2"
I2 one job, two results, with the key|unit/audit/t_verify.c|"I2 with the key", AUDIT_TWICE
X1 a record of another log|unit/audit/t_verify.c|{"X1 with the key"
T1 cut at the end, alone|unit/audit/t_verify.c|"T1 alone", AUDIT_GOOD
T1 cut, with a head from elsewhere|unit/audit/t_verify.c|"T1", AUDIT_ROLLBACK
T1 cut, with a witness's head|flow/witness.sh|--head "$T/kept.note"
T1 cut bundle, with a certificate|flow/bundle.sh|the last ones are gone
T2 records cut, heads kept|unit/record/t_tamper.c|{"T2"
T3 heads cut|unit/record/t_tamper.c|{"T3"
T4 cut before the log_close|unit/audit/t_verify.c|"T4 alone", AUDIT_GOOD
B1 an older copy, alone|unit/record/t_tamper.c|"B1 alone", AUDIT_GOOD
B1 an older copy, with a head|unit/record/t_tamper.c|"B1 with a head from elsewhere"
B1 put back, and a head that a witness signed lies in the folder|unit/record/t_cosigned.c|static void put_back_or_forked
B2 an older database|unit/record/t_tamper.c|"B2", AUDIT_ROLLBACK
B2 and the mark, but not the signer's memory|flow/audit_verbs.sh|put_back "cp 
B2 in the audit, by the signer's memory|flow/audit_verbs.sh|the signer's memory holds a signed head of
B2 and the mark taken away|flow/audit_verbs.sh|rm checkpoint" 22
B2 after a crash, by a few commits|unit/record/t_redo.c|static void put_back_behind_a_mark_is_no_crash
B3 an older copy worked on, alone|unit/audit/t_verify.c|"B3 alone", AUDIT_GOOD
B3 an older copy worked on, with a head|unit/record/t_tamper.c|"B3", AUDIT_FORK
K1 written anew with the key, alone|unit/audit/t_verify.c|"K1 alone", AUDIT_GOOD
K1 written anew, with a head|unit/audit/t_verify.c|"K1", AUDIT_FORK
K1 written anew, with certificates only|unit/audit/t_certs.c|"the same record differs"
K2 written anew behind the last head: not seen|unit/audit/t_verify.c|"K2", AUDIT_GOOD
K2 the window is told|flow/anchors.sh|'window +records 0 to'
K3 another key of that name|unit/audit/t_verify.c|{"K3"
K4 the same key ID|unit/audit/t_verify.c|{"K4"
K5 a key before or after its time|unit/audit/t_verify_keys.c|{"K5 the new key before its time"
K5 a hand-over in a bundle that only one of the keys signed|flow/keys.sh|a hand-over that the old key did not sign
K6 a key that was not promised|unit/audit/t_verify_keys.c|{"K6 a key that was not promised"
K7 lines of another type, head or time|unit/audit/t_witness.c|K7
C1 clock set back|unit/audit/t_verify.c|{"C1 with the key"
C2 forward, then back|unit/record/t_recorder.c|static void clock_set_back
C2 an engineer's step back, listed for ever|flow/line_clock.sh|days back, an engineer said
C2 and once only|unit/sign/t_keeper.c|static void a_clock_that_was_ahead
C2 a large step among many small ones|unit/audit/t_verify_time.c|static void the_largest_steps_are_told
C3 dated back by the monotonic clock|unit/audit/t_verify_time.c|"C3", AUDIT_TIME
C3 dated back, alone and between two timestamps|unit/audit/t_verify_time.c|"dated back behind it", 14 + SKEW, AUDIT_TIME
C4 a timestamp of another authority|flow/anchors.sh|"${url}other" --ca
C4 a timestamp over other bytes|flow/anchors.sh|over another head
C4 signed by who may do something else|flow/anchors.sh|refused as/server
C4 a use that is not critical|flow/anchors.sh|refused as/lax
C4 a use besides|flow/anchors.sh|refused as/both
C4 no use at all|flow/anchors.sh|refused as/any
C4 by a certificate that has ended, or not begun|flow/anchors.sh|refused past
C4 a certificate that ended since|flow/anchors.sh|by_openssl -attime
C4 by a clock that is years off|flow/anchors.sh|year/2020/tsa
P1 a path changed in every way|unit/audit/t_certs.c|dropped, doubled, another's
P2 P3 another record in a certificate|unit/audit/t_certs.c|"another record"
P4 under another log's head|flow/certificates.sh|bench-2
N1 malformed notes, as Go judges them|flow/outside_notes.sh|notes judged alike
N1 a second line of a known key that is no good|unit/audit/t_note.c|every line of a known key verified
N1 and in a bundle|flow/bundle.sh|another signature by the same key beside it
N2 very large notes|unit/audit/t_note.c|static void large_notes
N3 names that look alike|unit/audit/t_note.c|\xe2\x80\x83
W1 the witness's status table|unit/audit/t_witness.c|static void status_table
W2 two at once|unit/audit/t_witness.c|static void two_at_once
W3 killed before it answers|unit/audit/t_witness.c|static void answer_lost
W4 a witness that answers nonsense|unit/audit/t_witness.c|static void bad_answers
F1 failing writes, fsyncs, renames|fault/writes.sh|inject
F2 killed between commit and sending|unit/record/t_outbox.c|static void sent_after_the_commit_and_once
F3 torn pages, WAL deleted|unit/record/t_tamper.c|"WAL deleted"
F4 disk full, folder read-only|unit/record/t_recorder.c|static void full_database
F5 a bit flips before signing|unit/record/t_recorder.c|static void bit_flip_before_signing
F5 a bit flips in the signature|unit/record/t_recorder.c|static void bad_signature_from_the_signer
S1 a second station on one folder|unit/record/t_recorder.c|/* a second one on the same folder */
S1 another program writes beside the station|unit/record/t_tamper.c|static void second_writer
S2 triggers, views, tables changed|unit/record/t_tamper.c|{"S2 view in front"
S3 the key in the folder replaced|unit/record/t_tamper.c|"S3, key from paper"
S3 the key in a bundle exchanged, its policy too|flow/bundle.sh|"the key in the policy"
S3 another witness in a bundle's policy|flow/bundle.sh|"a witness of somebody's in the policy"
S3 the policy beside the log exchanged|flow/witness.sh|The folder.s file policy is another
G1 a unit that never passed|flow/certificates.sh|never passed
G1 numbers of a range that no unit got|unit/audit/t_account.c|static void holes
G2 a MAC certified twice|unit/audit/t_account.c|static void twice
G2 a serial number on two units|unit/audit/t_account.c|told.n_serials_twice, 2
G3 begun and never ended|unit/record/t_recorder.c|static void interrupted
G3 and nobody said so|unit/audit/t_account.c|static void endless
H1 a record at the end of all numbers|unit/record/t_tamper.c|{"H1
H2 a head far ahead|unit/record/t_tamper.c|{"H2
H3 a hand-over that was none|unit/record/t_tamper.c|{"H3
H4 the names of kinds exchanged|unit/record/t_tamper.c|{"H4
H4 the names of outcomes exchanged|unit/record/t_tamper.c|{"H4 what the numbers of outcomes mean
H5 a person's name exchanged|unit/record/t_tamper.c|{"H5
H6 the sums under the reports|unit/record/t_tamper.c|{"H6
H7 another version said|unit/record/t_tamper.c|{"H7
H8 an index that leads past the rows|unit/record/t_tamper.c|{"H8
H9 an empty database|unit/record/t_tamper.c|{"H9 an empty file
H9 a log without a record|unit/record/t_tamper.c|{"H9 a log
H10 the mark overwritten|unit/record/t_tamper.c|{"H10
H10 the mark taken away|flow/audit_verbs.sh|the mark taken away
H11 words added to a head in a bundle|flow/bundle.sh|a line that nobody signed
H11 an older head as a bundle's newest|flow/bundle.sh|"an older head as the newest"
H14 one signed head damaged|unit/audit/t_verify.c|{"H14 signature bit"
H14 and in a bundle|flow/bundle.sh|"a head in the middle"
H16 a label changed in the outbox|unit/record/t_outbox.c|static void changed_by_somebody
H17 a label taken out of the outbox|unit/record/t_outbox.c|DELETE FROM outbox WHERE target = 'p1'
H16 a label put there twice|unit/record/t_outbox.c|/* a label twice */
H17 or called printed|unit/record/t_outbox.c|static void called_printed
H17 or called unprinted, to get it twice|flow/line_labels.sh|printed again without a record
H16 and printed again|unit/record/t_outbox.c|static void a_changed_label_is_not_printed_again
H18 a trigger under a name of SQLite's own|unit/record/t_tamper.c|{"H18
H13 the proof of a FAIL handed out as a certificate|flow/certificates.sh|good, and a FAIL
H15 a page that shows something else than it proves|flow/certificates.sh|page "another outcome"
H15 its QR code another's|flow/certificates.sh|page "another's code"
H15 any byte of a page, any module of its code|unit/audit/t_page.c|static void any_byte_of_a_page
H12 a witness counted under two names|unit/audit/t_policy.c|nobody counts twice
H12 a policy with a quorum of nobody|flow/witness.sh|quorum nobody
LIST
echo "$n attacks, each with its test"

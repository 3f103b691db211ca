/* SPDX-License-Identifier: Apache-2.0
 * The one table of faults. Order: from the port outwards to the unit, then the station itself. */
#include "event/fault.h"

#include <string.h>

#define FAIL  OUTCOME_FAIL
#define ERROR OUTCOME_ERROR

static const struct fault table[] = {
    /* ---- the port: ERROR, nothing is known of any unit ---- */
    {"port.missing", ERROR, "operator", false, "there is no such port",
     "Plug the cable of this slot in, into the socket it was learned on.",
     "Compare `flashline ports` with the station file; a slot is best bound as usb:PLACE."},
    {"port.busy", ERROR, "engineer", false, "another program holds the port",
     "Call the engineer: another program uses this port.",
     "Close serial monitors; remove brltty; tell ModemManager to leave the port alone."},
    {"port.denied", ERROR, "engineer", false, "no permission to open the port",
     "Call the engineer: this computer's user may not use the port.",
     "Add the station's user to the port's group (usually dialout) and log in again."},
    {"port.failed", ERROR, "engineer", false, "the port could not be opened or set up",
     "Unplug the cable of this slot, wait five seconds and plug it in again.",
     "The sentence with this fault holds the system's own words; a network port: is its server up?"},
    {"port.flapping", ERROR, "operator", false, "the port comes and goes",
     "Press the board and its cable firmly in; if it goes on, try another cable.",
     "A loose contact or a supply that collapses: the port vanished five times in ten seconds. Nothing is done here "
     "until it has stayed for two seconds."},

    /* ---- the way between host and chip ---- */
    {"link.lost", ERROR, "operator", true, "the port vanished during the attempt",
     "Check the cable and the board's seat, then insert the board again.",
     "Pulled, a hub that reset, or a supply that dips when the board draws current."},
    {"link.silent", ERROR, "operator", false, "nothing at all was received",
     "Insert a board; if one is in: check its seat, its power and the cable.",
     "No power, wrong socket, RX not connected, EN held low, or another process eats the bytes."},
    {"link.echo", ERROR, "engineer", false, "our own bytes come back",
     "Put this board aside and call the engineer: the slot's wiring is wrong.",
     "TX and RX are joined, or the adapter is half duplex (RS-485, one-wire)."},
    {"link.tx_dead", ERROR, "engineer", false, "the loader speaks but does not hear us",
     "Try another cable; if it happens again, call the engineer.",
     "The host's TX does not reach the chip: broken wire, level shifter, wrong adapter voltage, a port of 7 data bits."},
    {"link.noise", ERROR, "operator", true, "bytes arrive that no loader sends",
     "Check the cable and the board's seat, then try again.",
     "Wrong speed (26 MHz crystal?), floating RX, or a bridge driver that damages bytes."},
    {"link.damaged", ERROR, "engineer", true, "too many frames are damaged on the way",
     "Try another cable, then another socket; tell the engineer which one helped.",
     "The rungs in the record say what was tried. Losses inside long bursts point to the bridge or "
     "its driver, scattered flips to the cable."},
    {"link.translated", ERROR, "engineer", false, "the line changes bytes of certain values",
     "Put this board aside and call the engineer: the slot's port is set up wrongly.",
     "The sentence names the bytes and what changes them: XON/XOFF flow control, translated line ends, 7 data bits, or "
     "telnet on one end only, in the bridge, the serial server or the port. Data must pass raw, 8 bits, no parity."},
    {"link.late", ERROR, "engineer", false, "answers come too late to be told apart",
     "Put this board aside and call the engineer: the way to the slot is too slow.",
     "Something between host and chip holds bytes back for a quarter of a second or longer: a network, a serial server that "
     "collects bytes, a virtual machine. Put the server nearer, and set it to send at once."},
    {"link.speed", ERROR, "engineer", true, "no allowed speed held",
     "Try another cable, then another socket.",
     "Allow a lower speed in serial.step_down, shorten the cable, spread boards over more hubs."},

    /* ---- what the board does instead of loading ---- */
    {"boot.mode", FAIL, "operator", false, "the chip starts its program instead of the loader",
     "Hold the board's BOOT button while it is inserted; if it fails again, red bin.",
     "The boot strap is not low at reset: no auto-reset circuit, missing capacitor on EN, or DTR/RTS "
     "skew; try another serial.reset."},
    {"board.app", FAIL, "operator", false, "an application talks instead of the loader",
     "Hold the board's BOOT button while it is inserted; if it fails again, red bin.",
     "The reset lines do not reach the chip, or the adapter has none."},
    {"board.panic", FAIL, "operator", false, "an application crashes again and again",
     "Hold the board's BOOT button while it is inserted; if it fails again, red bin.",
     "The board's own program panics and the loader cannot be reached through the reset lines."},
    {"board.brownout", ERROR, "engineer", true, "the chip reports low supply voltage",
     "Use a powered hub or a shorter cable; tell the engineer if it comes back.",
     "The supply dips under load: hub without own supply, thin cable, too many boards on one hub."},
    {"board.reset", ERROR, "operator", true, "the chip restarted in the middle of the work",
     "Check the cable and the board's seat, then insert the board again.",
     "A loose contact on EN or power, a watchdog, or a supply that dips."},

    /* ---- which chip, and may it be flashed ---- */
    {"chip.unknown", FAIL, "engineer", false, "a chip that this program does not know",
     "Red bin; call the engineer.", "The loader's id is in the record; a newer flashline may know it."},
    {"chip.wrong", FAIL, "operator", false, "another chip than the profile is for",
     "This board belongs to another product: put it back where it came from.",
     "Mixed boards in the lot, or the wrong profile for this lot."},
    {"chip.refused", FAIL, "engineer", true, "the loader refused a command",
     "Insert the board again; if it fails again, red bin.",
     "The record holds the command and the status bytes."},
    {"chip.silent", FAIL, "operator", true, "the loader stopped answering",
     "Insert the board again; if it fails again, red bin.",
     "It answered before: look at supply and contacts, then at the speed."},
    {"gate.revision", FAIL, "engineer", false, "a chip revision that the profile does not accept",
     "Red bin; call the engineer.", "gate.min_revision or max_revision in the profile."},
    {"gate.flash_size", FAIL, "engineer", false, "less flash than the profile asks for",
     "Red bin; call the engineer.", "gate.flash_size in the profile; a wrong module variant?"},
    {"gate.secure_boot", FAIL, "engineer", false, "the unit's secure boot state is not accepted",
     "Red bin; call the engineer.", "gate.secure_boot in the profile; the unit was provisioned before?"},
    {"gate.flash_encryption", FAIL, "engineer", false,
     "the unit's flash encryption state is not accepted", "Red bin; call the engineer.",
     "gate.flash_encryption in the profile; the unit was provisioned before?"},
    {"gate.image", FAIL, "engineer", false, "the images do not fit this unit",
     "Red bin; call the engineer.", "An image is larger than the unit's flash, or not for its revision."},
    {"security.refused", FAIL, "engineer", false, "the chip's security state forbids this work",
     "Red bin; call the engineer.",
     "Secure download mode, secure boot or flash encryption: writing would be refused or would brick."},

    /* ---- loading and writing ---- */
    {"ram.checksum", ERROR, "engineer", true, "program bytes arrive damaged in the chip's RAM",
     "Try another cable, then another socket; tell the engineer which one helped.",
     "`result was 01070000` in other tools: bytes are lost or changed between host and chip even in "
     "the smallest, slowest writes. Bridge driver first, then cable, then hub."},
    {"ram.refused", FAIL, "engineer", true, "the chip takes no program into its RAM",
     "Insert the board again; if it fails again, red bin.",
     "The loader refused MEM_BEGIN or MEM_END: secured chip, or serial.stub: required where none can run."},
    {"stub.silent", ERROR, "engineer", true, "the flasher stub was loaded and did not start",
     "Insert the board again; if it fails again, red bin.",
     "serial.stub: auto falls back to the ROM loader; look at supply and chip revision."},
    {"flash.missing", FAIL, "operator", false, "no flash chip answers",
     "Red bin.", "Flash not soldered or not supplied, strap GPIO12 (1.8 V), pins loaded from outside."},
    {"flash.size", FAIL, "engineer", false, "the flash is smaller than what must be written",
     "Red bin; call the engineer.", "A wrong module variant, or a wrong profile."},
    {"flash.erase", FAIL, "operator", true, "the flash did not erase",
     "Insert the board again; if it fails again, red bin.", "Write protection, or a worn or weak flash."},
    {"flash.write", FAIL, "operator", true, "the flash did not take the bytes",
     "Insert the board again; if it fails again, red bin.", "Supply under load, or a defective flash."},
    {"flash.timeout", FAIL, "operator", true, "the flash did not finish in time",
     "Insert the board again; if it fails again, red bin.", "A very slow or dying flash."},
    {"flash.protected", FAIL, "engineer", false, "nothing was written: flash protected or dead",
     "Red bin; call the engineer.", "Everything reads FF after writing: status register protection, or dead."},
    {"verify.md5", FAIL, "operator", false, "the flash does not hold what was written",
     "Red bin: this board's flash is bad.",
     "The record holds the place of the first difference. The same place twice: the flash; another "
     "place each time: the supply."},
    {"verify.unproven", FAIL, "engineer", false, "written, and the unit cannot prove it",
     "Put this board where the engineer collects such boards: it is written, and did not pass.",
     "Secure download mode or flash encryption: the chip gives no MD5 that anybody could check. The record holds what was "
     "written and what the boot check said."},

    /* ---- after writing ---- */
    {"boot.no_reset", ERROR, "engineer", false, "the port cannot restart the board for its boot check",
     "Call the engineer: this slot's port has no reset lines, and the profile asks for a boot check.",
     "The flash is written and verified. Use a port with DTR and RTS, or leave boot_check out."},
    {"boot.silent", FAIL, "operator", true, "the flashed program says nothing",
     "Insert the board again; if it fails again, red bin.", "boot_check.baud right? Does the program print at all?"},
    {"boot.pattern", FAIL, "operator", true, "the flashed program does not say what it should",
     "Insert the board again; if it fails again, red bin.", "boot_check.expect and what was said are in the record."},
    {"boot.fail_text", FAIL, "operator", false, "the flashed program says that it failed",
     "Red bin.", "boot_check.fail and what was said are in the record."},
    {"boot.panic", FAIL, "operator", false, "the flashed program crashes", "Red bin.",
     "A panic text came after the reset: the image, or the board's peripherals."},

    {"boot.limit", FAIL, "operator", false, "a measured value is outside its limits",
     "Red bin.", "The values and limits are in the record (attempt_measure): the board, or boot_check.measure?"},
    {"boot.missing", FAIL, "operator", true, "the flashed program does not say a value that it should",
     "Insert the board again; if it fails again, red bin.",
     "boot_check.measure and what was said are in the record."},

    /* ---- commands around the attempt ---- */
    {"hook.refused", FAIL, "operator", false, "the external test says that the unit is not good",
     "Red bin.", "A before or after command ended with 1; its output is in the record (attempt_hook)."},
    {"hook.failed", ERROR, "engineer", false, "a command around the attempt failed",
     "Call the engineer: a fixture or tester does not work.",
     "It ended with another code than 0 or 1, or by a signal; its output is in the record (attempt_hook)."},
    {"hook.timeout", ERROR, "engineer", false, "a command around the attempt did not finish in time",
     "Call the engineer: a fixture or tester hangs.",
     "It was killed with all it started; `within` in the profile or station file is its time."},
    {"hook.missing", ERROR, "engineer", false, "a command around the attempt could not be started",
     "Call the engineer: the station is not set up right.",
     "The program named under before or after is not there, or may not be run."},

    /* ---- not let in: nothing was changed on the unit, and no yield counts it ---- */
    {"lot.closed", OUTCOME_ABORTED, "engineer", false, "the lot is not open",
     "Take the board out and call the engineer: this lot is not open.",
     "`flashline lot show` tells; `flashline lot open` opens the next one."},
    {"lot.profile", OUTCOME_ABORTED, "engineer", false, "the lot was opened for another profile or other images",
     "Stop and call the engineer: this is not what the lot is to be flashed with.",
     "A lot pins the hash of its profiles, images included: a changed file is another lot."},
    {"lot.duplicate", OUTCOME_ABORTED, "operator", false, "this unit has passed in this lot already",
     "Take the board out: it is done. Put it to the good ones.",
     "Not counted twice. A lot opened with --duplicates reflash lets it in again."},
    {"lot.quantity", OUTCOME_ABORTED, "engineer", false, "the lot's authorised quantity is used up",
     "Take the board out: the lot is full. Call the engineer.",
     "Passed units and those being worked on take the places; a unit that does not pass gives its place back."},
    {"lot.tries", OUTCOME_ABORTED, "operator", false, "this unit has failed as often as the lot allows",
     "Put this board to rework.",
     "`flashline dispose MAC rework` gives it the same number of attempts again."},
    {"unit.scrapped", OUTCOME_ABORTED, "operator", false, "this unit was scrapped",
     "Red bin.", "`flashline trace` says by whom and why; `flashline dispose MAC released` takes it back."},
    {"unit.twice", ERROR, "engineer", false, "the same MAC is being worked on in another slot",
     "Stop and call the engineer: two boards say that they are the same.",
     "Chips with one MAC (cloned, or a damaged eFuse read), or one board wired to two slots."},
    {"serial.used", OUTCOME_ABORTED, "engineer", false, "this serial number belongs to another unit",
     "Take the board out and scan its label again; call the engineer if it happens again.",
     "Two labels with one number, or a template that starts too low."},

    /* ---- stopped by a rule of the lot: nothing was changed on the unit ---- */
    {"rule.consecutive", OUTCOME_ABORTED, "engineer", false, "too many attempts in a row did not pass",
     "Stop and call the engineer: the line or this slot is stopped.",
     "The rules of the lot: consecutive. Look at the last records, then `flashline line ack`."},
    {"rule.same_fault", OUTCOME_ABORTED, "engineer", false, "one fault came too often",
     "Stop and call the engineer: the line or this slot is stopped.",
     "The rules of the lot: same_fault. Look at that fault by slot, then `flashline line ack`."},
    {"rule.yield", OUTCOME_ABORTED, "engineer", false, "too few units pass at their first attempt",
     "Stop and call the engineer: the line or this slot is stopped.",
     "The rules of the lot: yield. `flashline report summary`, then `flashline line ack`."},
    {"rule.shift", OUTCOME_ABORTED, "engineer", false, "the golden or known-bad board did not end as it must",
     "Stop and call the engineer: the line or this slot is stopped.",
     "The rules of the lot: shift. Find out why before anything is made, then `flashline line ack`."},
    {"rule.image", OUTCOME_ABORTED, "engineer", false, "a file of the profile is no more what was loaded",
     "Stop and call the engineer: the line or this slot is stopped.",
     "Somebody wrote over a file during production. Put it back, start the line anew; then `flashline line ack`."},
    {"rule.stopped", OUTCOME_ABORTED, "engineer", false, "a rule of the lot stopped it",
     "Stop and call the engineer: the line or this slot is stopped.",
     "`flashline line ack` reopens it."},
    {"lot.shift", OUTCOME_ABORTED, "operator", false, "the golden boards of the shift's start were not shown yet",
     "Take the board out; insert the golden board first.",
     "The rules of the lot: shift. Golden boards must pass and known-bad ones must fail before production opens."},

    /* ---- people and the station itself ---- */
    {"operator.cancelled", OUTCOME_ABORTED, "nobody", true, "stopped by the operator",
     "Start again when ready.", "Not counted in any yield."},
    {"operator.removed", OUTCOME_ABORTED, "operator", true, "the board was taken out",
     "Insert the board again and leave it until the slot shows a result.", "Not counted in any yield."},
    {"station.died", OUTCOME_INTERRUPTED, "operator", true, "the station stopped during the attempt",
     "Insert the board again.", "Found at the next start: an attempt without an end."},
    {"station.record", ERROR, "engineer", false, "the result could not be recorded",
     "Stop: the station cannot record. Call the engineer; this board counts as not done.",
     "Disk full, folder read-only, key gone: the sentence says which. No record, no PASS."},
    {"station.image", ERROR, "engineer", false, "an image file changed since the profile was loaded",
     "Stop and call the engineer.", "Somebody wrote over an image during production."},
    {"station.internal", ERROR, "engineer", false, "this program failed",
     "Call the engineer.", "A bug, or memory ran out: the sentence says where."},
};

static const char *const outcomes[] = {"PASS", "FAIL", "ERROR", "ABORTED", "INTERRUPTED"};

const char *outcome_name(enum outcome o)
{
    return (size_t)o < sizeof outcomes / sizeof *outcomes ? outcomes[o] : "?";
}

bool outcome_parse(const char *name, enum outcome *out)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        if (strcmp(outcomes[i], name) == 0) {
            *out = (enum outcome)i;
            return true;
        }
    return false;
}

const struct fault *fault_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

/* What only a cable that is plugged into this machine can have. */
static const struct {
    const char *fault, *todo;
} over_network[] = {
    {.fault = "port.missing", .todo = "Call the engineer: the network does not know this slot's serial server."},
    {.fault = "port.failed", .todo = "Is this slot's serial server on, and in the network? If it is, call the engineer."},
    {.fault = "port.flapping", .todo = "Call the engineer: the way to this slot's serial server comes and goes."},
    {.fault = "link.lost", .todo = "Check the board's seat and this slot's serial server, then insert the board again."},
};

bool fault_on_network(const char *port)
{
    return strncmp(port, "rfc2217://", 10) == 0 || strncmp(port, "socket://", 9) == 0;
}

const char *fault_todo(const struct fault *f, const char *port)
{
    for (size_t i = 0; fault_on_network(port) && i < sizeof over_network / sizeof *over_network; i++)
        if (strcmp(over_network[i].fault, f->name) == 0)
            return over_network[i].todo;
    return f->todo;
}

const struct fault *fault_table(size_t *n)
{
    *n = sizeof table / sizeof *table;
    return table;
}

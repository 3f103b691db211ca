/* SPDX-License-Identifier: Apache-2.0
 * Every limit and every fixed pause of the room, in milliseconds, with its reason. */
#include "esp/session.h"

const struct esp_times esp_times_default = {
    /* ---- limits: an answer ends the wait; the limit says when to stop hoping. Facts 1.5. ---- */
    .command = 3000,     /* a loader that works answers within milliseconds; a USB stack may stall */
    .sync = 100,         /* the ROM measures the speed from SYNC and may miss the first ones */
    .sync_rest = 100,    /* eight answers follow each other without a pause */
    .greeting = 3000,    /* the stub waits 10 ms by itself; the rest is reserve */
    .early_greeting = 200, /* at a raised speed: a stub that comes up at the usual one is asked there soon */
    .mem_end = 200,      /* the ROM may jump before its answer is out: absence is not an error */
    .probe = 500,        /* after a change of speed or a lost frame: the chip has nothing else to do */
    .quick_probe = 25,   /* has the ROM switched yet? A question lost in the switch costs no more than this */
    .send = 10000,       /* plus the time the bytes take on the wire */
    .late_sync = 3000,   /* after a failure that a late line may have brought about: how late is it */
    .md5_mb = 8000,      /* the ROM of the slowest chip */
    .erase_mb = 40000,   /* datasheet maximum of slow flash, as BEGIN of the ROM erases */
    .work_mb = 40000,    /* erase and program behind a block */
    .chip_erase_mb = 25000, /* datasheet maxima: 400 s for 16 MB */

    /* ---- pauses that no answer can replace ---- */
    .stub_gap = 6,       /* after DB 00: the stub's main loop must re-arm its receiver, 5 ms at least;
                            without the pause one resynchronisation in ten fails */
    .settle = 30,        /* after CHANGE_BAUD: the stub waits 5 ms before and after its divider write, and garbage
                            in a frame would turn its receiver inside out */
    .rom_settle = 2,     /* the ROM switches behind its answer and forgives garbage: it is asked until it answers */
    .quiet = 40,         /* nothing for this long: nothing more is on its way. A USB bridge holds
                            bytes back for at most 16 ms */
    .grace = 50,         /* a refusal under a foreign opcode: the real answer may follow it */
    .flash_wake = 3,     /* flash chips after reset or release from power-down: 30 us to 2 ms */
    .boot = 60,          /* a loader's log, 200 bytes at 115200 and the time EN needs to rise, or silence as long:
                            ends with "waiting for download" */
    .app = 120,          /* the first byte after a reset into the application: ends with it; silence means that the
                            short pulse may not have done, and a longer one follows */
    .late = 2500,        /* the same: until what was asked and reset before has come, where a way takes a second */
    .watchdog = 500,     /* until a watchdog armed for a reset has fired */
};

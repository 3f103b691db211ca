/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.h: why a conversation with a chip failed, as the engine can tell from evidence.
 *
 * The dotted name is the interface: records, reports and scripts use it and it never changes its
 * meaning. What to say to an operator about each is not the engine's business (event/fault.h in the
 * station; a test checks that every name here is known there).
 */
#ifndef FL_ESP_FAULT_H
#define FL_ESP_FAULT_H

#include "base/err.h"

/*  enumerator        dotted name           what it means */
#define ESP_FAULT_LIST(X)                                                                          \
    X(NONE, "", "no fault")                                                                        \
    X(PORT_MISSING, "port.missing", "there is no such port")                                       \
    X(PORT_BUSY, "port.busy", "another process holds the port")                                    \
    X(PORT_DENIED, "port.denied", "no permission to open the port")                                \
    X(PORT_FAILED, "port.failed", "the port could not be opened or set up")                        \
    X(LINK_LOST, "link.lost", "the port vanished during the attempt")                              \
    X(LINK_SILENT, "link.silent", "nothing at all was received")                                   \
    X(LINK_ECHO, "link.echo", "our own bytes come back: TX and RX are joined")                     \
    X(LINK_TX_DEAD, "link.tx_dead", "the loader speaks but does not hear us")                      \
    X(LINK_NOISE, "link.noise", "bytes arrive that no loader sends")                               \
    X(LINK_DAMAGED, "link.damaged", "too many frames damaged on the way")                          \
    X(LINK_TRANSLATED, "link.translated", "the line changes bytes of certain values")              \
    X(LINK_LATE, "link.late", "answers come too late to be told apart")                            \
    X(LINK_SPEED, "link.speed", "no speed held, down to the lowest allowed")                       \
    X(BOOT_MODE, "boot.mode", "the chip boots from flash: its boot strap is not low")              \
    X(BOARD_APP, "board.app", "an application talks instead of the loader")                        \
    X(BOARD_PANIC, "board.panic", "an application crashes again and again")                        \
    X(BOARD_BROWNOUT, "board.brownout", "the chip reports low supply voltage")                     \
    X(BOARD_RESET, "board.reset", "the chip restarted in the middle of the work")                  \
    X(CHIP_UNKNOWN, "chip.unknown", "a chip this program does not know")                           \
    X(CHIP_WRONG, "chip.wrong", "another chip than the profile says")                              \
    X(CHIP_REFUSED, "chip.refused", "the loader refused a command")                                \
    X(CHIP_SILENT, "chip.silent", "the loader stopped answering")                                  \
    X(RAM_CHECKSUM, "ram.checksum", "program bytes for the chip's RAM arrive damaged")             \
    X(RAM_REFUSED, "ram.refused", "the chip does not take a program into its RAM")                 \
    X(STUB_SILENT, "stub.silent", "the flasher stub was loaded and did not start")                 \
    X(FLASH_MISSING, "flash.missing", "no flash chip answers")                                     \
    X(FLASH_SIZE, "flash.size", "the flash is smaller than what must be written")                  \
    X(FLASH_ERASE, "flash.erase", "the flash did not erase")                                       \
    X(FLASH_WRITE, "flash.write", "the flash did not take the bytes")                              \
    X(FLASH_TIMEOUT, "flash.timeout", "the flash did not finish in time")                          \
    X(FLASH_PROTECTED, "flash.protected", "nothing was written: the flash is protected or dead")   \
    X(VERIFY_MD5, "verify.md5", "the flash does not hold what was written")                        \
    X(SECURITY_REFUSED, "security.refused", "the chip's security state forbids this work")         \
    X(CANCELLED, "operator.cancelled", "stopped from outside")                                     \
    X(INTERNAL, "station.internal", "this program failed")

enum esp_fault {
#define X(id, name, text) ESP_FAULT_##id,
    ESP_FAULT_LIST(X)
#undef X
};

enum { ESP_PROBLEM_MAX = 300 };

/* What went wrong, from evidence: offsets, statuses, counts; one sentence for an engineer. */
struct esp_problem {
    enum esp_fault fault;
    enum fl_err err;
    char text[ESP_PROBLEM_MAX];
};

const char *esp_fault_name(enum esp_fault f); /* "ram.checksum" */
const char *esp_fault_text(enum esp_fault f); /* "program bytes for ..." */

#endif

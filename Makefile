# flashline: build, test, install.   make [VARIANT=release|debug|san|tsan|cov|fuzz] [all|check|bench|fuzz|install|uninstall]
# Objects and programs lie under build/$(VARIANT)/; nothing is written outside build/.

VARIANT ?= release
B := build/$(VARIANT)
V_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
V_debug   := -O0
V_san     := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
V_tsan    := -O1 -fsanitize=thread -fno-omit-frame-pointer
V_cov     := -O0 --coverage
V_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
F := $(V_$(VARIANT))
$(if $(F),,$(error VARIANT must be release, debug, san, tsan, cov or fuzz))

# WERROR=-Werror in CI and in scripts/test; packagers with other compilers may leave it empty
WERROR ?=
CPPFLAGS += -Istation -Itests -I$B/gen -D_GNU_SOURCE -DFL_BUILD_DIR='"$B"' -MMD -MP
CFLAGS   += -std=c11 -g -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wundef \
            -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wcast-align $(WERROR)
LDLIBS   += -lserialport -lsqlite3 -lyaml -ldeflate -lz -ljansson -lcrypto -lqrencode -lncursesw -ltinfo -lm -pthread

SRC   := $(wildcard station/*/*.c)
GEN   := $B/gen/embed_db.c $B/gen/embed_schema.c $B/gen/embed_stubs.c $B/gen/stubs.c $B/gen/embed_web.c $B/gen/embed_bundle.c
OBJ   := $(SRC:%.c=$B/obj/%.o) $(GEN:$B/gen/%.c=$B/obj/gen/%.o)
LIB   := $B/libstation.a
TESTS := $(patsubst tests/unit/%.c,$B/tests/%,$(wildcard tests/unit/*/t_*.c))

# parsers of what others wrote: fuzzed by `make fuzz`, the kept corpus replayed by every check
FUZZED     := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

all: $B/flashline $B/flashline-verify $B/libesp.a $(patsubst tests/preload/%.c,$B/%.so,$(wildcard tests/preload/*.c))
# a line that is not there, for the tests of what people look at
$B/fake_board: $B/obj/tests/browser/fake_board.o $(LIB)
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# a station without boards that records and tells what it was answered, for faults in what it writes
$B/station_work: $B/obj/tests/fault/station_work.o $(LIB)
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# a power cut: what a program did to a folder, and what of it a disk may hold afterwards
$B/disk_trace: $B/obj/tests/fault/disk_trace.o
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^
$B/disk_cut: $B/obj/tests/fault/disk_cut.o $B/obj/tests/fault/disk.o $B/obj/tests/fault/watch.o
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^

tests: all $(TESTS) $(FUZZED:%=$B/tests/fuzz/t_%) $B/stub-board $B/fake_board $B/make_history $B/station_work $B/disk_trace $B/disk_cut
check: tests
	@scripts/run-tests $B

$B/flashline: $B/obj/station/cli/main.o $(LIB)
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$B/tests/%: $B/obj/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)
# the auditor's program: base and audit, nothing of the station, no library but libcrypto and the reader of JSON
$B/libaudit.a: $(filter $B/obj/station/audit/% $B/obj/station/base/%,$(OBJ))
	@echo "  AR    $@"; rm -f $@
	@$(AR) rcs $@ $^
$B/flashline-verify: $B/obj/station/verify/main.o $B/libaudit.a
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ -ljansson -lcrypto -pthread
$(LIB): $(filter-out %/main.o,$(OBJ))
	@echo "  AR    $@"; rm -f $@
	@$(AR) rcs $@ $^
# the engine as a library of its own: what station/esp/README.md's example links with
$B/libesp.a: $(filter $B/obj/station/esp/% $B/obj/station/link/% $B/obj/station/base/%,$(OBJ)) $B/obj/gen/stubs.o
	@echo "  AR    $@"; rm -f $@
	@$(AR) rcs $@ $^
$B/obj/gen/%.o: $B/gen/%.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(F) -c -o $@ $<
$B/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(F) -c -o $@ $<

# loaded when first used (station/http/late.h): by the soname of the libraries that the headers came with
soname = $(shell readelf -d "$$($(CC) -print-file-name=lib$(1).so)" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p')
$B/obj/station/http/mhd.o: CPPFLAGS += -DMHD_SONAME='"$(call soname,microhttpd)"'
$B/obj/station/http/post.o: CPPFLAGS += -DCURL_SONAME='"$(call soname,curl)"'

# what is embedded: the schema as written in db/, the stubs as the pinned npm package ships them
$B/gen/embed_db.c: scripts/embed $(wildcard db/*.sql)
	@mkdir -p $(@D)
	@echo "  EMBED $@"
	@scripts/embed db $(sort $(wildcard db/*.sql)) > $@.tmp && mv $@.tmp $@
# the schema that they come to, so that a start need not run them all to know whether a database is as it should be
$B/schema: $B/obj/scripts/schema.o
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ -lsqlite3
$B/gen/embed_schema.c: scripts/embed $B/schema $(wildcard db/*.sql)
	@mkdir -p $(@D)
	@echo "  EMBED $@"
	@$B/schema rows $(sort $(wildcard db/*.sql)) > $B/gen/schema.txt && $B/schema script $(sort $(wildcard db/*.sql)) > $B/gen/newest.sql
	@scripts/embed schema $B/gen/schema.txt $B/gen/newest.sql > $@.tmp && mv $@.tmp $@
BUNDLE := $(wildcard station/prove/bundle/*)
$B/gen/embed_bundle.c: scripts/embed $(BUNDLE)
	@mkdir -p $(@D)
	@echo "  EMBED $@"
	@scripts/embed bundle $(sort $(BUNDLE)) > $@.tmp && mv $@.tmp $@
STUBS := build/npm/node_modules/esptool-js/lib/targets/stub_flasher
$B/gen/embed_stubs.c: scripts/embed $(wildcard $(STUBS)/*.json) | build/npm/.done
	@mkdir -p $(@D)
	@echo "  EMBED $@"
	@scripts/embed stubs $(STUBS)/*.json > $@.tmp && mv $@.tmp $@
# the same as the engine sends them: nothing is left to decode when a board waits
$B/stubs: $B/obj/scripts/stubs.o $B/obj/station/esp/stub_file.o $(filter $B/obj/station/base/%,$(OBJ))
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ -ljansson -lcrypto -pthread
$B/gen/stubs.c: $B/stubs $(wildcard $(STUBS)/*.json) | build/npm/.done
	@mkdir -p $(@D)
	@echo "  EMBED $@"
	@$B/stubs $(STUBS)/*.json > $@.tmp && mv $@.tmp $@
WEB := $(wildcard station/web/assets/*.html station/web/assets/*.css station/web/assets/*.js station/web/assets/*.svg \
             station/web/assets/lang-*.json)
$B/gen/embed_web.c: scripts/embed $(WEB) | build/npm-web/.done
	@mkdir -p $(@D)
	@echo "  EMBED $@"
	@scripts/embed web $(sort $(WEB)) build/npm-web/node_modules/chart.js/dist/chart.umd.min.js > $@.tmp && mv $@.tmp $@
build/npm/.done: station/esp/stubs/package-lock.json
	scripts/fetch-npm
build/npm-web/.done: station/web/assets/package-lock.json
	scripts/fetch-npm

# for scripts/bench: what a program cost, what zlib makes of a file
$B/bench-usage: $B/obj/scripts/bench.d/usage.o
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^
$B/bench-zlib9: $B/obj/scripts/bench.d/zlib9.o
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ -lz
$B/bench-clock: $B/obj/tests/bench/own_clock.o $(LIB)
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)
$B/bench-log: $B/obj/scripts/bench.d/log.o $B/obj/scripts/bench.d/log_proofs.o $(LIB)
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ $(LDLIBS)
bench:
	@scripts/bench

# the preload shim lends a pseudo-terminal modem lines, so that the real-port path runs in the tests
$B/%.so: tests/preload/%.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -fPIC -shared -o $@ $< -ldl

# a test device: Espressif's stub, run as machine code (tests/outside/README.md)
$B/stub-board: $(patsubst %.c,$B/obj/%.o,$(wildcard tests/outside/rv32/*.c))
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ -lz -lcrypto

# the engine, and nothing of the station, against that stub in one process
$B/tests/esp/t_real_stub: $B/obj/tests/unit/esp/t_real_stub.o \
    $(patsubst %.c,$B/obj/%.o,$(filter-out %/main.c,$(wildcard tests/outside/rv32/*.c))) $B/libesp.a
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

# histories with known truths: for measuring reports, and for their tests
$B/make_history: $B/obj/tests/history/make_history.o $(LIB)
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$B/tests/fuzz/t_%: $B/obj/tests/fuzz/fuzz_%.o $B/obj/tests/fuzz/replay.o $(LIB)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) $(F) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$B/fuzz_%: $B/obj/tests/fuzz/fuzz_%.o $(LIB)
	@echo "  CC    $@"
	@$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $^ $(LDLIBS)

# make fuzz [FUZZ_SECONDS=60]: each target for so long; what it finds anew lies in build/fuzz/corpus/, a crash in build/fuzz/
FUZZ_SECONDS ?= 60
fuzz:
	@$(MAKE) --no-print-directory CC=clang VARIANT=fuzz $(FUZZED:%=build/fuzz/fuzz_%)
	@for t in $(FUZZED); do mkdir -p build/fuzz/corpus/$$t; words=tests/fuzz/dict/$$t.dict; \
	    build/fuzz/fuzz_$$t $$([ ! -f $$words ] || echo -dict=$$words) -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=1024 -max_len=16384 \
	        -artifact_prefix=build/fuzz/$$t- -verbosity=0 -print_final_stats=1 build/fuzz/corpus/$$t tests/fuzz/corpus/$$t || exit 1; done

PREFIX ?= /usr/local
PROFILES := $(filter-out profiles/demo-%,$(wildcard profiles/*.yaml)) profiles/README.md
install: all
	install -D -m 755 -t "$(DESTDIR)$(PREFIX)/bin" $B/flashline $B/flashline-verify
	install -D -m 644 -t "$(DESTDIR)$(PREFIX)/share/flashline/profiles" $(PROFILES)
	install -D -m 644 -t "$(DESTDIR)$(PREFIX)/share/doc/flashline" LICENSE NOTICE
# what install put there, and no file of anybody else's: data folders stay
uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/flashline" "$(DESTDIR)$(PREFIX)/bin/flashline-verify"
	if cd "$(DESTDIR)$(PREFIX)/share" 2>/dev/null; then \
	    rm -f $(PROFILES:%=flashline/%) doc/flashline/LICENSE doc/flashline/NOTICE && \
	    { rmdir flashline/profiles flashline doc/flashline 2>/dev/null || :; }; fi

clean:
	rm -rf build/release build/debug build/san build/tsan build/cov build/fuzz

.PHONY: all tests check bench fuzz install uninstall clean
.SECONDARY:
-include $(OBJ:.o=.d) $(wildcard $B/obj/tests/outside/rv32/*.d $B/obj/tests/fuzz/*.d $B/obj/tests/fault/*.d $B/obj/scripts/schema.d $B/obj/scripts/bench.d/*.d $B/obj/tests/history/*.d) $(TESTS:$B/tests/%=$B/obj/tests/unit/%.d)

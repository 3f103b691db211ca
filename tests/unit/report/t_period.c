/* SPDX-License-Identifier: Apache-2.0
 * report/period: times as people write them, zones, shifts. Expected moments by `date -u -d ... +%s`. */
#include "unit/t.h"

#include "report/period.h"

static const int64_t now = 1795334400000; /* 2026-11-22 08:00 UTC */

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text, *zone;
        int64_t ms; /* -1: no time */
    } row[] = {
        {"2026-11-22", "UTC", 1795305600000},
        {"2026-11-22", "+08:00", 1795276800000},
        {"2026-11-22T08:00", "UTC", 1795334400000},
        {"2026-11-22 08:00:30", "UTC", 1795334430000},
        {"2026-11-22T08:00Z", "+08:00", 1795334400000}, /* what the text says goes before the zone */
        {"2026-11-22T08:00+05:30", "UTC", 1795314600000},
        {"2026-11-22T08:00", "-03:30", 1795347000000},
        {"2024-02-29", "UTC", 1709164800000},
        {"2026-11-22T08:00:30.007Z", "UTC", 1795334430007},
        {"2026-11-22 08:00:30.25", "UTC", 1795334430250},
        {"2026-11-22T08:00:30.5+05:30", "UTC", 1795314630500},
        {"24h", "UTC", 1795248000000},
        {"7d", "UTC", 1794729600000},
        {"90m", "UTC", 1795329000000},
        {"2026-02-29", "UTC", -1}, {"2026-13-01", "UTC", -1}, {"2026-11-22T24:00", "UTC", -1}, {"2026-11-22T08:60", "UTC", -1}, {"", "UTC", -1},
        {"2026-11-22T", "UTC", -1}, {"2026-11-22T08", "UTC", -1}, {"2026-11-22x", "UTC", -1}, {"22.11.2026", "UTC", -1}, {"24", "UTC", -1},
        {"h", "UTC", -1}, {"-1d", "UTC", -1}, {"2026-1-2", "UTC", -1}, {"99999999d", "UTC", -1}, {"999999d", "UTC", -1}, {"2026-11-22T08:00:61", "UTC", -1},
        {"2026-11-22T08:00:30.", "UTC", -1}, {"2026-11-22T08:00:30.1234", "UTC", -1}, {"2026-11-22T08:00.5", "UTC", -1}, {"2026-02-30", "UTC", -1},
        {"yesterday", "UTC", -1}, {"1969-12-31", "UTC", -1}, {"2026-11-22T08:00+99:00", "UTC", -1},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct zone z;
        int64_t ms = -2;
        assert_int_equal(zone_parse(row[i].zone, &z, NULL), FL_OK);
        enum fl_err err = time_parse(row[i].text, &z, now, &ms, NULL);
        if (row[i].ms < 0 ? err != FL_ARG : err != FL_OK || ms != row[i].ms)
            fail_msg("'%s': %d, %lld", row[i].text, (int)err, (long long)ms);
    }
}

static void zones(void **state)
{
    (void)state;
    static const char *const bad[] = {"Mars", "+8", "+08:0", "+15:00", "+08:60", "08:00", ""};
    struct zone z;
    char name[8];
    for (size_t i = 0; i < T_COUNT(bad); i++)
        assert_int_equal(zone_parse(bad[i], &z, NULL), FL_ARG);
    assert_int_equal(zone_parse("-03:30", &z, NULL), FL_OK);
    assert_string_equal(zone_name(&z, name), "-03:30");
    assert_int_equal(zone_parse("+05:45", &z, NULL), FL_OK); /* Nepal */
    assert_string_equal(zone_name(&z, name), "+05:45");
    assert_int_equal(zone_parse(NULL, &z, NULL), FL_OK);
    assert_string_equal(zone_name(&z, name), "UTC");
    /* Berlin's clock goes back at 01:00 UTC on 25 October 2026: the day has 25 hours */
    (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    assert_int_equal(zone_parse("local", &z, NULL), FL_OK);
    const struct period day = {.kind = PERIOD_DAY, .zone = z};
    assert_int_equal(period_start(&day, 1792886400000), 1792879200000); /* 25 Oct 00:00 UTC: began at 24 Oct 22:00 UTC */
    assert_int_equal(period_start(&day, 1792968300000), 1792879200000); /* 25 Oct 22:45 UTC, 23:45 there */
    assert_int_equal(period_start(&day, 1792969200000), 1792969200000); /* 25 Oct 23:00 UTC: the next day begins */
    (void)unsetenv("TZ");
}

/* Where clocks are set at midnight, or within a shift: periods have no holes and do not overlap. Moments by
 * `TZ=Atlantic/Azores date -d ... +%s`, and by `zdump -v`. */
static void clocks_set(void **state)
{
    (void)state;
    static const struct {
        const char *tz, *shifts; /* NULL: days */
        int64_t ms, start;
        const char *text;
    } row[] = {
        /* the Azores' clock jumps from 00:00 to 01:00 on 29 March 2026, at 01:00 UTC: the day has no 00:00 */
        {"<-01>1<+00>,M3.5.0/0,M10.5.0/1", NULL, 1774745999999, 1774659600000, "2026-03-28"},
        {"<-01>1<+00>,M3.5.0/0,M10.5.0/1", NULL, 1774746000000, 1774746000000, "2026-03-29"},
        {"<-01>1<+00>,M3.5.0/0,M10.5.0/1", NULL, 1774828799999, 1774746000000, "2026-03-29"},
        {"<-01>1<+00>,M3.5.0/0,M10.5.0/1", NULL, 1774828800000, 1774828800000, "2026-03-30"},
        /* Santiago's goes from 24:00 back to 23:00 on 4 April 2026, at 03:00 UTC of the 5th: a shift that begins at 23:30 begins once */
        {"<-04>4<-03>,M9.1.6/24,M4.1.6/24", "07:00,23:30", 1775356200000, 1775356200000, "2026-04-04 23:30"},
        {"<-04>4<-03>,M9.1.6/24,M4.1.6/24", "07:00,23:30", 1775358060000, 1775356200000, "2026-04-04 23:30"},
        {"<-04>4<-03>,M9.1.6/24,M4.1.6/24", NULL, 1775361599000, 1775271600000, "2026-04-04"},
        {"<-04>4<-03>,M9.1.6/24,M4.1.6/24", NULL, 1775361600000, 1775361600000, "2026-04-05"},
        /* Berlin's jumps from 02:00 to 03:00 on 29 March 2026, at 01:00 UTC: a shift from 02:30 begins then */
        {"CET-1CEST,M3.5.0,M10.5.0/3", "02:30,14:30", 1774745999999, 1774704600000, "2026-03-28 14:30"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "02:30,14:30", 1774746060000, 1774746000000, "2026-03-29 03:00"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "02:30,14:30", 1774787399999, 1774746000000, "2026-03-29 03:00"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "02:30,14:30", 1774787400000, 1774787400000, "2026-03-29 14:30"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct period p = {.kind = row[i].shifts ? PERIOD_SHIFT : PERIOD_DAY};
        char text[PERIOD_TEXT];
        (void)setenv("TZ", row[i].tz, 1);
        assert_int_equal(shifts_parse(row[i].shifts, &p, NULL), FL_OK);
        assert_int_equal(zone_parse("local", &p.zone, NULL), FL_OK);
        int64_t start = period_start(&p, row[i].ms);
        period_text(&p, start, text);
        if (start != row[i].start || strcmp(text, row[i].text) != 0)
            fail_msg("%s %lld: began at %lld, %s", row[i].tz, (long long)row[i].ms, (long long)start, text);
    }
    (void)unsetenv("TZ");
}

static void shifts(void **state)
{
    (void)state;
    struct period p = {.kind = PERIOD_SHIFT};
    char text[PERIOD_TEXT];
    static const char *const bad[] = {"", "6", "06:00,", "06:00,06:00", "22:00,06:00", "6:15", "06:60", "24:00", "06:00 14:00", "06:00,14:00,22:00,"};
    for (size_t i = 0; i < T_COUNT(bad); i++)
        assert_int_equal(shifts_parse(bad[i], &p, NULL), FL_ARG);
    assert_int_equal(shifts_parse(NULL, &p, NULL), FL_OK);
    static const struct {
        int hours; /* after midnight of 22 November */
        const char *shift;
    } row[] = {{0, "2026-11-21 22:00"}, {5, "2026-11-21 22:00"}, {6, "2026-11-22 06:00"}, {13, "2026-11-22 06:00"}, {14, "2026-11-22 14:00"},
               {23, "2026-11-22 22:00"}, {29, "2026-11-22 22:00"}, {30, "2026-11-23 06:00"}};
    for (size_t i = 0; i < T_COUNT(row); i++) {
        period_text(&p, period_start(&p, 1795305600000 + row[i].hours * 3600000), text);
        assert_string_equal(text, row[i].shift);
    }
    p.zone.offset_min = 330; /* 00:30 UTC is 06:00 there */
    assert_int_equal(period_start(&p, 1795305600000 + 1800000), 1795305600000 + 1800000);
    period_text(&p, 1795305600000 + 1800000, text);
    assert_string_equal(text, "2026-11-22 06:00");
    assert_int_equal(shifts_parse("06:15,14:10", &p, NULL), FL_OK);
    p.zone.offset_min = 345; /* 00:30 UTC is 06:15 there */
    assert_int_equal(period_start(&p, 1795305600000 + 1799999), 1795305600000 - 15 * 3600000 - 2100000); /* 14:10 of the day before */
    assert_int_equal(period_start(&p, 1795305600000 + 1800000), 1795305600000 + 1800000);
    const struct period hour = {.kind = PERIOD_HOUR, .zone = {false, 330}};
    assert_int_equal(period_start(&hour, 1795305600000 + 3600000), 1795305600000 + 1800000); /* 06:30 there: from 06:00 */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(times), cmocka_unit_test(zones), cmocka_unit_test(clocks_set), cmocka_unit_test(shifts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

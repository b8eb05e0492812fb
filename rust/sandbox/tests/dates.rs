//! Calendar time is what CPython on glibc says in UTC.

mod common;

use common::{check, run, text};

#[test]
fn days_of_the_week_count_from_monday() {
    check(&[
        (
            r#"def f(x):
    import time, datetime, calendar
    return [(time.gmtime(s).tm_wday, time.localtime(s).tm_wday, int(calendar.weekday(*time.gmtime(s)[:3]))) for s in (0, 86400 * 365, 1_000_000_000, 1_709_251_200, -1, -86_400_000_000)]"#,
            r#"[(3, 3, 3), (4, 4, 4), (6, 6, 6), (4, 4, 4), (2, 2, 2), (2, 2, 2)]"#,
        ),
        (
            r#"def f(x):
    import time, datetime, calendar
    return [tuple(time.gmtime(s)) for s in range(-10**10, 10**11, 7_777_777_777)]"#,
            r#"[(1653, 2, 10, 6, 13, 20, 0, 41, 0), (1899, 7, 31, 20, 2, 57, 0, 212, 0), (2146, 1, 18, 9, 52, 34, 1, 18, 0), (2392, 7, 7, 23, 42, 11, 1, 189, 0), (2638, 12, 26, 13, 31, 48, 2, 360, 0), (2885, 6, 14, 3, 21, 25, 3, 165, 0), (3131, 12, 3, 17, 11, 2, 3, 337, 0), (3378, 5, 22, 7, 0, 39, 4, 142, 0), (3624, 11, 8, 20, 50, 16, 4, 313, 0), (3871, 4, 29, 10, 39, 53, 5, 119, 0), (4117, 10, 17, 0, 29, 30, 6, 290, 0), (4364, 4, 5, 14, 19, 7, 6, 96, 0), (4610, 9, 24, 4, 8, 44, 0, 267, 0), (4857, 3, 12, 17, 58, 21, 0, 71, 0), (5103, 9, 1, 7, 47, 58, 1, 244, 0)]"#,
        ),
    ]);
}

#[test]
fn strftime_writes_what_glibc_writes_in_the_c_locale() {
    check(&[
        (
            r#"def f(x):
    import time, datetime, calendar
    t = time.gmtime(1_709_622_489)
    return [time.strftime('%' + c, t) for c in 'aAbBcCdDeFgGhHIjklmMpPrRsSTuUVwWxXyYzZ%']"#,
            r#"['Tue', 'Tuesday', 'Mar', 'March', 'Tue Mar  5 07:08:09 2024', '20', '05', '03/05/24', ' 5', '2024-03-05', '24', '2024', 'Mar', '07', '07', '065', ' 7', ' 7', '03', '08', 'AM', 'am', '07:08:09 AM', '07:08', '1709622489', '09', '07:08:09', '2', '09', '10', '2', '10', '03/05/24', '07:08:09', '24', '2024', '+0000', 'GMT', '%']"#,
        ),
        (
            r#"def f(x):
    import time, datetime, calendar
    return [datetime.datetime(2024, 3, 5, 7, 8, 9).strftime('%c | %x | %X | %p'), datetime.date(2024, 12, 30).strftime('%G-W%V-%u %j %U %W'), time.strftime('%H:%M %Z %z', time.gmtime(0)), time.strftime('%Z', time.localtime(0))]"#,
            r#"['Tue Mar  5 07:08:09 2024 | 03/05/24 | 07:08:09 | AM', '2025-W01-1 365 52 53', '00:00 GMT +0000', 'UTC']"#,
        ),
        (
            r#"def f(x):
    import time, datetime, calendar
    return [time.strftime('%U %W %V %G %g', time.gmtime(s * 86400)) for s in range(-800, 20000, 997)]"#,
            r#"['43 43 43 1967 67', '28 28 29 1970 70', '14 15 15 1973 73', '00 00 01 1976 76', '39 38 38 1978 78', '24 24 25 1981 81', '10 10 10 1984 84', '48 48 49 1986 86', '34 34 34 1989 89', '20 20 21 1992 92', '06 06 06 1995 95', '44 43 44 1997 97', '30 30 30 2000 00', '15 15 16 2003 03', '02 02 02 2006 06', '39 39 40 2008 08', '26 26 26 2011 11', '11 11 12 2014 14', '50 49 49 2016 16', '35 35 36 2019 19', '21 21 21 2022 22']"#,
        ),
    ]);
}

#[test]
fn flags_and_widths_are_glibcs_and_unknown_directives_stay() {
    check(&[
        (
            r#"def f(x):
    import time, datetime, calendar
    t = time.gmtime(1_709_622_489)
    return [time.strftime(f, t) for f in ('%5d', '%_5d', '%-d', '%010a', '%^a', '%#p', '%#Z', '%^c', '%20c', '%5z', '%_j', '%Ey', '%Od', '%Ed', '%Q', '%', '%E', '%:z', '%5%', '%_11s', '%-e', '\u00e9%Y\u00fc')]"#,
            r#"['00005', '    5', '5', '0000000Tue', 'TUE', 'am', 'gmt', 'TUE MAR  5 07:08:09 2024', 'Tue Mar  5 07:08:09 2024', '    +00000', ' 65', '24', '05', '%Ed', '%Q', '%', '%E', '%:z', '    %', ' 1709622489', '5', 'é2024ü']"#,
        ),
        (
            r#"def f(x):
    import time, datetime, calendar
    return [time.strftime('%Y %C %y %F %4Y', (y, 3, 5, 7, 8, 9, 1, 65, 0)) for y in (-5, 0, 99, 999, 10000)]"#,
            r#"['-5 -1 95 -5-03-05 -005', '0 0 00 0-03-05 0000', '99 0 99 99-03-05 0099', '999 9 99 999-03-05 0999', '10000 100 00 10000-03-05 10000']"#,
        ),
    ]);
}

#[test]
fn times_that_are_none_raise_what_cpython_raises() {
    check(&[
        (
            r#"def f(x):
    import time, datetime, calendar
    def kind(work):
        try:
            return work()
        except Exception as error:
            return type(error).__name__, str(error)
    return [kind(lambda: time.strftime('%Y', t)) for t in ((2000, 13, 1, 0, 0, 0, 0, 1, 0), (2000, 1, 32, 0, 0, 0, 0, 1, 0), (2000, 1, 1, 24, 0, 0, 0, 1, 0), (2000, 1, 1, 0, 60, 0, 0, 1, 0), (2000, 1, 1, 0, 0, 62, 0, 1, 0), (2000, 1, 1, 0, 0, 0, -2, 1, 0), (2000, 1, 1, 0, 0, 0, 0, 367, 0), (2000, 1, 1))]"#,
            r#"[('ValueError', 'month out of range'), ('ValueError', 'day of month out of range'), ('ValueError', 'hour out of range'), ('ValueError', 'minute out of range'), ('ValueError', 'seconds out of range'), ('ValueError', 'day of week out of range'), ('ValueError', 'day of year out of range'), ('TypeError', 'strftime(): illegal time tuple argument')]"#,
        ),
        (
            r#"def f(x):
    import time, datetime, calendar
    def kind(work):
        try:
            return work()
        except Exception as error:
            return type(error).__name__, str(error)
    return [kind(lambda: time.gmtime(s)[0]) for s in (1e20, float('nan'), 2**62, 67_768_036_191_676_799)]"#,
            r#"[('OverflowError', 'timestamp out of range for platform time_t'), ('ValueError', 'Invalid value NaN (not a number)'), ('OSError', '[Errno 75] Value too large for defined data type'), -2147481749]"#,
        ),
    ]);
}

#[test]
fn mktime_is_the_inverse_of_localtime_and_takes_fields_out_of_range() {
    check(&[
        (
            r#"def f(x):
    import time, datetime, calendar
    return [time.mktime(time.localtime(s)) == s for s in range(-10**10, 10**11, 3_333_333_333)], time.mktime((2000, -5, 400, -100, 999, -999, 9, 9, -1)), time.mktime((2000, 13, 1, 0, 0, 0, 0, 1, 0))"#,
            r#"([True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True], 964959741.0, 978307200.0)"#,
        ),
        (
            r#"def f(x):
    import time, datetime, calendar
    return time.asctime(time.gmtime(10**9)), time.ctime(0), tuple(time.strptime('2024-02-29 12:30', '%Y-%m-%d %H:%M')), time.gmtime(0).tm_zone, time.localtime(0).tm_zone, time.gmtime(0).tm_gmtoff"#,
            r#"('Sun Sep  9 01:46:40 2001', 'Thu Jan  1 00:00:00 1970', (2024, 2, 29, 12, 30, 0, 3, 60, -1), 'GMT', 'UTC', 0)"#,
        ),
    ]);
}

#[test]
fn dates_compute_as_in_cpython() {
    check(&[
        (
            r#"def f(x):
    import time, datetime, calendar
    d = datetime
    return repr(d.date(2024, 12, 30).isocalendar()), str(d.datetime(2024, 2, 28) + d.timedelta(days=1, hours=30)), str(d.timedelta(days=-1, seconds=5) * 2.5), repr(d.datetime(2024, 1, 1, tzinfo=d.timezone.utc).astimezone(d.timezone(d.timedelta(hours=-5)))), str(d.datetime.fromisoformat('2024-W10-3T10:11:12.5+01:00')), divmod(d.timedelta(days=3), d.timedelta(hours=7))[0]"#,
            r#"('datetime.IsoCalendarDate(year=2025, week=1, weekday=1)', '2024-03-01 06:00:00', '-3 days, 12:00:12.500000', 'datetime.datetime(2023, 12, 31, 19, 0, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=68400)))', '2024-03-06 10:11:12.500000+01:00', 10)"#,
        ),
        (
            r#"def f(x):
    import time, datetime, calendar
    def kind(work):
        try:
            return work()
        except Exception as error:
            return type(error).__name__, str(error)
    d = datetime
    return [kind(work) for work in (lambda: d.date(2023, 2, 29), lambda: d.datetime.max + d.timedelta(1), lambda: d.datetime(2024, 1, 1) < d.datetime(2024, 1, 1, tzinfo=d.UTC), lambda: d.timedelta(1) / 0)]"#,
            r#"[('ValueError', 'day 29 must be in range 1..28 for month 2 in year 2023'), ('OverflowError', 'date value out of range'), ('TypeError', "can't compare offset-naive and offset-aware datetimes"), ('ZeroDivisionError', 'division by zero')]"#,
        ),
    ]);
}

#[test]
fn many_steps_of_a_clock_end_within_the_fuel_of_tests() {
    let program = "from datetime import datetime, timedelta
def f(x):
    t = datetime(2024, 1, 1)
    for _ in range(x):
        t += timedelta(hours=7)
    return str(t)";
    assert_eq!(text(&run(program, "25_000")), "'2043-12-18 16:00:00'");
}

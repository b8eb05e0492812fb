//! The settings of every source of entropy that programs are run under.

use azr_wire::Entropy;

/// Settings of entropy besides the first.
pub(crate) const OTHER_SETTINGS: u32 = 8;

/// A setting of entropy, from 0, that of verdicts, to [`OTHER_SETTINGS`]. Every source differs from one to the
/// other. Setting 1 has the random bits of setting 0, each turned over; the seeds after it are such that under the
/// first four settings no small draw (a die's, a coin's, of a short shuffle or sample) is always the same.
pub(crate) fn entropy(setting: u32) -> Entropy {
    // Seed, milliseconds since 1970, nanoseconds a look at the clock takes. The times differ in year, month,
    // weekday, hour and minute; among them are weekends, a leap day, both halves of a day, odd and even seconds.
    const SETTINGS: [(u64, u64, u32); OTHER_SETTINGS as usize + 1] = [
        (1, 1_767_225_600_000, 1_000),       // 2026-01-01 00:00:00, Thursday
        (1, 1_939_210_662_123, 1_137),       // 2031-06-14 13:37:42, Saturday
        (341, 1_835_481_539_987, 25_003),    // 2028-02-29 23:58:59, Tuesday
        (69, 943_257_911_500, 731),          // 1999-11-22 08:05:11, Monday
        (364, 2_356_622_493_250, 5_309_003), // 2044-09-04 17:21:33, Sunday
        (158, 1_830_282_245_750, 3),         // 2027-12-31 19:44:05, Friday
        (346, 1_436_929_946_001, 999_983),   // 2015-07-15 03:12:26, Wednesday
        (219, 2_119_860_548_600, 40_487),    // 2037-03-05 10:09:08, Thursday
        (181, 1_666_560_650_100, 12_347),    // 2022-10-23 21:30:50, Sunday
    ];
    let (random_seed, clock_ms, tick_ns) = SETTINGS[setting as usize];
    Entropy {
        random_seed,
        clock_ns: clock_ms * 1_000_000,
        tick_ns,
        // New objects lie elsewhere. By how much says nothing about small remainders (it divides by 2 to 8, sixteen
        // at a time): how addresses are shown sees to those.
        address_shift: if setting == 0 { 0 } else { 16 * 840 * 5 },
        variation: setting,
    }
}

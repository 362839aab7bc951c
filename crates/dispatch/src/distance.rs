//! Straight lines on the earth and how long the way takes, in whole numbers.

use ticket::dispatch::Place;

/// A degree of a great circle, metres.
const DEGREE_M: i64 = 111_195;
const UDEG: i64 = 1_000_000;
/// Roads are longer than straight lines: tenths.
const DETOUR_TENTHS: i64 = 13;

/// Metres in a straight line: the earth taken as flat around the two, within half a percent up to a few hundred
/// kilometres, where engineers travel.
pub fn metres(from: Place, to: Place) -> i64 {
    let across = (to.lon_udeg - from.lon_udeg).rem_euclid(360 * UDEG);
    let across = across.min(360 * UDEG - across);
    let north_m = (to.lat_udeg - from.lat_udeg) * DEGREE_M / UDEG;
    let middle = i64::midpoint(from.lat_udeg, to.lat_udeg);
    let east_m = across * DEGREE_M / UDEG * cosine_ppm(middle) / UDEG;
    (north_m * north_m + east_m * east_m).isqrt()
}

/// Seconds on the way over this straight line at this speed, begun ones counted.
pub fn travel_secs(distance_m: i64, speed_kmh: i64) -> i64 {
    let scaled = distance_m * DETOUR_TENTHS * 3_600;
    let per = speed_kmh.max(1) * 10_000;
    (scaled + per - 1) / per
}

/// The cosine of a latitude in millionths, by Bhaskara's formula: (32,400 − 4x²) / (32,400 + x²), x in degrees.
fn cosine_ppm(lat_udeg: i64) -> i64 {
    let millidegrees = lat_udeg / 1_000;
    let square = millidegrees * millidegrees;
    let right = 32_400 * UDEG;
    (right - 4 * square) * 1_000 / ((right + square) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(lat_udeg: i64, lon_udeg: i64) -> Place {
        Place { lat_udeg, lon_udeg }
    }

    /// Proves part of: D2
    #[test]
    fn distances_are_those_of_the_map() {
        // Berlin, Leipzig, Rome, Milan, Shanghai, Suzhou, Suva and a place behind the date line; great circles by others.
        let known = [
            (place(52_520_000, 13_405_000), place(51_339_700, 12_373_100), 149_000),
            (place(41_902_800, 12_496_400), place(45_464_200, 9_190_000), 477_000),
            (place(31_230_400, 121_473_700), place(31_298_900, 120_585_300), 84_800),
            (place(-18_124_800, 178_450_100), place(-18_124_800, -179_549_900), 211_300),
        ];
        for (from, to, expected) in known {
            let found = metres(from, to);
            assert!((found - expected).abs() * 100 < expected, "{found} is not {expected}");
            assert_eq!(found, metres(to, from));
        }
        assert_eq!(metres(known[0].0, known[0].0), 0);
    }

    #[test]
    fn the_way_takes_a_third_longer_than_the_line() {
        assert_eq!(travel_secs(40_000, 40), 4_680, "40 km at 40 km/h are an hour, and 18 minutes of detour");
        assert_eq!((travel_secs(0, 40), travel_secs(1, 40)), (0, 1));
    }
}

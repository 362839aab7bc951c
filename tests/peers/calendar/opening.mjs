// Random opening hours, evaluated by opening_hours.js, the reference implementation of OpenStreetMap's syntax.
//
//   node opening.mjs SEED COUNT
//
// Prints one JSON object a line: the rules and all spans of two years in which they are open, in seconds since the
// epoch, by UTC. The first line has the days off (PH) instead, as the library knows them for Berlin.

import opening_hours from "opening_hours";

process.env.TZ = "UTC";
const [seed, count] = [Number(process.argv[2] ?? 1), Number(process.argv[3] ?? 100)];
const berlin = { lat: 52.5, lon: 13.4, address: { country_code: "de", state: "Berlin" } };
const [first, last] = [new Date("2026-01-05T00:00Z"), new Date("2027-12-27T00:00Z")];

// mulberry32
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const of = (...choices) => choices[below(choices.length)]();
const DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n) => String(n).padStart(2, "0");
const time = (from, to) => `${two(from + below(to - from))}:${two(15 * below(4))}`;

const weekdays = () => of(
  () => "Mo-Fr", () => "Mo-Sa", () => "Mo-Su", () => "Sa,Su", () => "Fr-Mo", () => "Mo,We,Fr", () => DAYS[below(7)],
);
const times = () => of(
  () => `${time(6, 11)}-${time(12, 19)}`,
  () => `${time(6, 11)}-${time(11, 13)},${time(13, 15)}-${time(16, 22)}`,
  () => `${time(20, 24)}-${time(1, 6)}`,
  () => `${time(6, 9)}-${time(10, 12)},${time(18, 23)}-${time(1, 5)}`,
  () => "00:00-24:00",
);
const season = () => of(
  () => { const n = below(9); return `${MONTHS[n]}-${MONTHS[n + 1 + below(3)]}`; },
  () => { const n = below(3); return `${MONTHS[9 + n]}-${MONTHS[n]}`; },
  () => `Apr ${1 + below(28)}-Sep ${1 + below(28)}`,
  () => MONTHS[below(12)],
);
const rule = () => of(
  () => `; ${weekdays()} ${times()}`,
  () => `, ${weekdays()} ${times()}`,
  () => `; ${season()} ${weekdays()} ${times()}`,
  () => `; ${season()} off`,
  () => `; ${MONTHS[below(12)]} ${1 + below(28)} off`,
  () => `; Dec 24,Dec 31 ${times()}`,
  () => `; 2026 ${MONTHS[below(12)]} ${1 + below(28)} ${times()}`,
  () => `; ${DAYS[below(7)]}[${1 + below(4)}] off`,
  () => `; ${DAYS[below(7)]}[-1] ${times()}`,
  () => `; week ${1 + below(20)}-${21 + below(30)} ${DAYS[below(7)]} off`,
  () => `; ${weekdays()} ${time(12, 13)}-${time(13, 14)} off`,
  () => "; easter -2 days off",
  () => `; PH ${times()}`,
  () => "; PH off",
);

// Spans that touch are one: the library keeps those of different rules apart.
function seconds(spans) {
  const joined = [];
  for (const [from, to] of spans.map(([from, to]) => [from.getTime() / 1000, to.getTime() / 1000])) {
    if (joined.length && joined.at(-1)[1] === from) joined.at(-1)[1] = to;
    else joined.push([from, to]);
  }
  return joined;
}
const open = (rules) => seconds(new opening_hours(rules, berlin, 0).getOpenIntervals(first, last));
console.log(JSON.stringify({ rules: "PH", open: open("PH 00:00-24:00") }));
for (let n = 0; n < count; n++) {
  let rules = `${weekdays()} ${times()}`;
  for (let more = below(5); more > 0; more--) rules += rule();
  // Its weekday rules are of days off too, unless a rule says more of these.
  if (!rules.includes("PH")) rules += "; PH off";
  console.log(JSON.stringify({ rules, open: open(rules) }));
}

// Random calendars, spans and budgets, answered by dayjs-business-time or moment-business-time alone.
//
//   node hours.mjs dayjs|moment SEED
//
// Prints one JSON object a line: a calendar's spec and its cases; instants are seconds since the epoch. Both packages
// count whole minutes of local time, on days without nights: spans and budgets are whole minutes, and no boundary lies
// where clocks are changed (before 05:00). Both mean by the end of a budget the earliest instant, at closing time too,
// as we do. moment-business-time knows one interval a day. Every change of the clocks of the zones is asked over; the
// years are past, so that the runtime's own time zone database has them as they were.

import dayjs from "dayjs";
import businessTime from "dayjs-business-time";
import moment from "moment-business-time";

const ZONES = [
  "Africa/Johannesburg", "America/New_York", "America/Sao_Paulo", "America/St_Johns", "Asia/Kolkata", "Asia/Shanghai",
  "Australia/Adelaide", "Australia/Lord_Howe", "Europe/London", "Europe/Rome", "Pacific/Auckland",
];
const [FIRST, LAST] = [2010, 2021];
const WEEK = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MINUTE = 60_000;
const [library, seed] = [process.argv[2], Number(process.argv[3] ?? 1)];

// mulberry32
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const two = (n) => String(n).padStart(2, "0");
const clock = (quarter) => `${two(Math.floor(quarter / 4))}:${two((quarter % 4) * 15)}`;
const dateOf = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

function intervals(most) {
  const bounds = new Set();
  while (bounds.size < 2 * (1 + below(most))) bounds.add(20 + below(72));
  const sorted = [...bounds].sort((a, b) => a - b);
  const pairs = [];
  for (let n = 0; n + 1 < sorted.length; n += 2) pairs.push([clock(sorted[n]), clock(sorted[n + 1])]);
  return pairs;
}

// The local noons of the days on which the clocks change.
function changes() {
  const found = [];
  for (let at = new Date(FIRST, 0, 1, 12); at.getFullYear() <= LAST; at.setDate(at.getDate() + 1)) {
    const before = new Date(at);
    before.setDate(at.getDate() - 1);
    if (before.getTimezoneOffset() !== at.getTimezoneOffset()) found.push(new Date(at));
  }
  return found;
}

const peers = {
  dayjs: {
    intervals: 3,
    set(week, holidays) {
      const day = (pairs) => (pairs.length ? pairs.map(([start, end]) => ({ start: `${start}:00`, end: `${end}:00` })) : null);
      dayjs.setBusinessTime(Object.fromEntries(WEEK.map((name, n) => [name, day(week[n])])));
      dayjs.setHolidays(holidays);
    },
    worked: (from, to) => dayjs(from).businessMinutesDiff(dayjs(to)),
    due: (from, minutes) => dayjs(from).addBusinessMinutes(minutes).valueOf(),
  },
  moment: {
    intervals: 1,
    set(week, holidays) {
      const day = (pairs) => (pairs.length ? pairs[0].map((time) => `${time}:00`) : null);
      moment.updateLocale("en", { workinghours: Object.fromEntries(week.map((pairs, n) => [n, day(pairs)])), holidays });
    },
    worked: (from, to) => moment(to).workingDiff(moment(from), "minutes"),
    due: (from, minutes) => moment(from).addWorkingTime(minutes, "minutes").valueOf(),
  },
};
dayjs.extend(businessTime.default ?? businessTime);
const peer = peers[library];

for (const zone of ZONES) {
  process.env.TZ = zone;
  const dates = changes();
  while (dates.length < 30) dates.push(new Date(FIRST + below(LAST - FIRST), below(12), 1 + below(28), 12));
  // A calendar for every so many dates; the holidays are near them.
  for (let n = 0; n < dates.length; n += 10) {
    const asked = dates.slice(n, n + 10);
    const week = WEEK.map((_, day) => (day === 1 || random() < 0.75 ? intervals(peer.intervals) : []));
    const near = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate() + below(12), 12);
    const holidays = [...new Set(asked.filter(() => random() < 0.5).map((at) => dateOf(near(at))))].sort();
    peer.set(week, holidays);
    const cases = [];
    for (const at of asked.flatMap((at) => [at, at, at, at])) {
      const from = at.getTime() - below(3 * 1_440) * MINUTE;
      const to = from + below(9 * 1_440) * MINUTE;
      const worked = peer.worked(from, to);
      cases.push({ from_secs: from / 1000, to_secs: to / 1000, worked_secs: worked * 60 });
      const minutes = worked && random() < 0.5 ? worked : 1 + below(1_800);
      cases.push({ from_secs: from / 1000, budget_secs: minutes * 60, due_secs: peer.due(from, minutes) / 1000 });
    }
    const weekly = {};
    WEEK.forEach((name, day) => {
      if (week[day].length) weekly[name.slice(0, 3)] = week[day].map((pair) => pair.join("-"));
    });
    console.log(JSON.stringify({ spec: { zone, weekly, holidays }, cases }));
  }
}

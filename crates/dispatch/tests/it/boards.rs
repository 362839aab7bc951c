//! The choice on generated boards, held against a check that knows only what the documents mean: it computes distances in
//! floats, hours by hand, and looks for free time minute by minute.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the check computes in floats, of distances far below 2^52"
)]

use std::collections::{BTreeMap, BTreeSet};

use calendar::Calendar;
use dispatch::person::{Duty, Held, Person, Stage};
use dispatch::policy::Policy;
use dispatch::rank::{Candidate, Choice, Question, choose};
use dispatch::roster::Engineer;
use dispatch::slot::Diary;
use serde_json::{Value, json};
use ticket::dispatch::{HardRule, Job, Place, Ranked, Slot, Term};
use ticket::intake::Priority;
use ticket::sla::Pinned;
use uuid::Uuid;

use crate::world::{shift, us};

const BOARDS: u64 = 300;
const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Numbers from a seed: the same board again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from((self.0 >> 11) % u64::try_from(limit).unwrap()).unwrap()
    }

    fn one_in(&mut self, count: i64) -> bool {
        self.below(count) == 0
    }
}

/// Somebody, as documents and events tell it.
struct Human {
    name: String,
    spec: Value,
    person: Person,
}

struct Case {
    now: i64,
    humans: Vec<Human>,
    job: Job,
    policy: Policy,
    refused: BTreeSet<String>,
    crew: BTreeSet<String>,
}

fn human(dice: &mut Dice, n: i64, now: i64) -> Human {
    let mut spec = json!({
        "skills": {"printers": 1 + dice.below(3)}, "shift": "day",
        "home": {"lat_udeg": 50_000_000 + dice.below(400_000), "lon_udeg": 8_000_000 + dice.below(400_000)},
        "max_visits_per_day": 1 + dice.below(3),
    });
    if dice.one_in(6) {
        spec["skills"] = json!({"network": 3});
    } else if dice.one_in(4) {
        let until = ["2024-03-03", "2024-03-05", "2024-03-06"][usize::try_from(dice.below(3)).unwrap()];
        spec["skills"] = json!({"printers": {"level": 2, "until": until}});
    }
    if dice.one_in(3) {
        spec["regions"] = json!([if dice.one_in(2) { "north" } else { "south" }]);
    }
    if dice.one_in(2) {
        spec["teams"] = json!(["field"]);
    }
    let mut person = Person { version: 7, ..Person::default() };
    person.duty = match dice.below(8) {
        0 => Duty::Off { back_at: None },
        1 => Duty::Off { back_at: Some(now + dice.below(12) * HOUR) },
        2 => Duty::On { until: Some(now + dice.below(12) * HOUR) },
        _ => Duty::default(),
    };
    let mut from = now - 2 * HOUR;
    for visit in 0..dice.below(4) {
        from += dice.below(5) * HOUR;
        let slot = Slot { from, arrive: from + 10 * MINUTE, to: from + 90 * MINUTE };
        let held = Held { ticket: Uuid::nil(), given_at: 1, slot, site: None, stage: Stage::Ahead };
        person.held.insert(Uuid::from_u64_pair(9, u64::try_from(visit).unwrap()), held);
        from = slot.to;
    }
    if dice.one_in(4) {
        person.time_off.insert(now, now + (1 + dice.below(60)) * HOUR);
    }
    Human { name: format!("eng-{n}"), spec, person }
}

fn case(seed: u64) -> Case {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (seed + 1).wrapping_mul(0xff51_afd7_ed55_8ccd));
    let now = us("2024-03-04 00:00") + dice.below(36 * 60) * MINUTE;
    let humans: Vec<_> = (0..8).map(|n| human(&mut dice, n, now)).collect();
    let some = |dice: &mut Dice, word: &str, count| dice.one_in(count).then(|| word.to_owned());
    let job = Job {
        job_type: Pinned { name: "repair".into(), version: 1 },
        skills: BTreeMap::from([("printers".to_owned(), 1 + u8::from(dice.one_in(2)))]),
        region: some(&mut dice, "north", 2),
        site: Some(Place { lat_udeg: 50_000_000 + dice.below(400_000), lon_udeg: 8_000_000 + dice.below(400_000) }),
        team: some(&mut dice, "field", 3),
        person: some(&mut dice, "eng-3", 6),
        duration_secs: (1 + dice.below(4)) * 3_600,
        arrive_by: now + dice.below(8) * HOUR,
        priority: Priority::Medium,
        evidence_required: 0,
    };
    let mut policy = Policy { search_us: (4 + dice.below(44)) * HOUR, ..Policy::default() };
    policy.max_distance_m = dice.one_in(2).then(|| 5_000 + dice.below(30_000));
    let names = |dice: &mut Dice, count| {
        let chosen = humans.iter().filter(|_| dice.one_in(count)).map(|human| human.name.clone());
        chosen.collect::<BTreeSet<_>>()
    };
    let (refused, crew) = (names(&mut dice, 6), names(&mut dice, 8));
    Case { now, humans, job, policy, refused, crew }
}

fn chosen(case: &Case, day: &Calendar) -> Choice {
    let rosters: Vec<_> = case.humans.iter().map(|human| Engineer::read(&human.spec).unwrap()).collect();
    let candidates = case.humans.iter().zip(&rosters).map(|(human, roster)| {
        let max_visits = usize::try_from(roster.max_visits_per_day).unwrap();
        let diary = Diary { person: &human.person, home: roster.home, shift: day, max_visits };
        Candidate { name: &human.name, roster, diary }
    });
    let question = Question {
        visit: Uuid::from_u128(5),
        job: &case.job,
        policy: &case.policy,
        now: case.now,
        refused: &case.refused,
        crew: &case.crew,
    };
    choose(candidates, &question)
}

impl Case {
    fn human(&self, name: &str) -> &Human {
        self.humans.iter().find(|human| human.name == name).unwrap()
    }

    /// Metres by the haversine.
    fn metres(&self, human: &Human) -> f64 {
        let degree = |udeg: &Value| udeg.as_f64().unwrap() / 1e6;
        let (lat, lon) = (degree(&human.spec["home"]["lat_udeg"]), degree(&human.spec["home"]["lon_udeg"]));
        let site = self.job.site.unwrap();
        let (to_lat, to_lon) = (degree(&json!(site.lat_udeg)), degree(&json!(site.lon_udeg)));
        let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
        let chord = half(lat, to_lat) + lat.to_radians().cos() * to_lat.to_radians().cos() * half(lon, to_lon);
        2.0 * 6_371_000.0 * chord.sqrt().asin()
    }

    fn level(human: &Human) -> i64 {
        let skill = &human.spec["skills"]["printers"];
        skill.as_i64().or(skill["level"].as_i64()).unwrap_or(0)
    }

    /// Whether the certificate has ended on the day of an instant; the dates of March 2024 alone.
    fn expired(human: &Human, at: i64) -> bool {
        let until = human.spec["skills"]["printers"]["until"].as_str();
        let last = until.map(|date| us(&format!("{date} 00:00")) + DAY);
        last.is_some_and(|last| at >= last)
    }

    fn lists(human: &Human, list: &str, word: Option<&String>) -> bool {
        let words = human.spec[list].as_array();
        word.is_none_or(|word| words.is_some_and(|words| words.iter().any(|known| known == word)))
    }

    fn visits_of_the_day(human: &Human, at: i64) -> impl Iterator<Item = &Held> {
        human.person.held.values().filter(move |held| held.slot.arrive.div_euclid(DAY) == at.div_euclid(DAY))
    }

    /// Whether somebody could be sent then, as far as time goes, but for the number of visits.
    fn free(human: &Human, slot: &Slot) -> bool {
        let (hour, weekday) = (slot.from.rem_euclid(DAY) / HOUR, (slot.from.div_euclid(DAY) + 3).rem_euclid(7));
        let ends = slot.to - slot.from.div_euclid(DAY) * DAY;
        let within = weekday < 5 && hour >= 8 && ends <= 18 * HOUR;
        let on = |at: i64| match human.person.duty {
            Duty::On { until } => until.is_none_or(|until| at < until),
            Duty::Off { back_at } => back_at.is_some_and(|back_at| at >= back_at),
        };
        let apart = |from: i64, to: i64| to <= slot.from || slot.to <= from;
        within
            && on(slot.from)
            && on(slot.to - 1)
            && human.person.held.values().all(|held| apart(held.slot.from, held.slot.to))
            && human.person.time_off.iter().all(|(from, to)| apart(*from, *to))
    }

    fn full(human: &Human, slot: &Slot) -> bool {
        let visits = Self::visits_of_the_day(human, slot.arrive).count();
        i64::try_from(visits).unwrap() >= human.spec["max_visits_per_day"].as_i64().unwrap()
    }

    /// Every minute's time within the search that is free.
    fn times(&self, human: &Human) -> Vec<Slot> {
        // A little longer than it is: what is free then, is free.
        let way = ((self.metres(human) * 1.3 * 3.6 / 40.0 * 1.006 + 2.0) * 1e6) as i64;
        let minutes = (0..=self.policy.search_us / MINUTE).map(|minute| {
            let from = self.now + minute * MINUTE;
            Slot { from, arrive: from + way, to: from + way + self.job.duration_secs * 1_000_000 }
        });
        minutes.filter(|slot| Self::free(human, slot)).collect()
    }

    /// Whether somebody breaks a rule, if they would come then.
    fn breaks(&self, human: &Human, rule: HardRule, slot: Option<&Slot>) -> bool {
        match rule {
            HardRule::Skill => Self::level(human) < i64::from(self.job.skills["printers"]),
            HardRule::SkillExpired => Self::expired(human, slot.map_or(self.now, |slot| slot.to - 1)),
            HardRule::Region => {
                human.spec["regions"].is_array() && !Self::lists(human, "regions", self.job.region.as_ref())
            }
            HardRule::Team => !Self::lists(human, "teams", self.job.team.as_ref()),
            HardRule::Person => self.job.person.as_ref().is_some_and(|person| *person != human.name),
            HardRule::OffDuty => match human.person.duty {
                Duty::On { until } => until.is_some_and(|until| until <= self.now),
                Duty::Off { back_at } => back_at.is_none_or(|back_at| back_at > self.now + self.policy.search_us),
            },
            HardRule::NoSlot => slot.is_none(),
            HardRule::Capacity => slot.is_some_and(|slot| Self::full(human, slot)),
            HardRule::Declined => self.refused.contains(&human.name),
            HardRule::Distance => {
                self.policy.max_distance_m.is_some_and(|farthest| self.metres(human) > farthest as f64 * 1.005)
            }
        }
    }

    /// Whether the distance allowed is the distance found, but for what whole numbers lose.
    fn at_the_edge(&self, human: &Human) -> bool {
        let metres = self.metres(human);
        self.policy.max_distance_m.is_some_and(|farthest| (metres - farthest as f64).abs() <= metres * 0.005)
    }

    /// A candidate who passed breaks nothing, comes in time to be found, and costs what the terms say.
    fn check_ranked(&self, ranked: &Ranked) {
        let (human, slot) = (self.human(&ranked.engineer), &ranked.slot);
        for rule in RULES {
            assert!(!self.breaks(human, rule, Some(slot)), "{rule:?} {ranked:?}");
        }
        assert!(Self::free(human, slot), "{ranked:?}");
        assert!(slot.from >= self.now && slot.from <= self.now + self.policy.search_us);
        let earlier =
            self.times(human).into_iter().find(|one| !Self::full(human, one) && one.from + MINUTE < slot.from);
        assert_eq!(earlier, None, "{ranked:?}");
        let metres = self.metres(human);
        assert!((metres - ranked.seen.distance_m as f64).abs() <= metres * 0.005 + 2.0, "{metres} {ranked:?}");
        let travel = (slot.arrive - slot.from) / 1_000_000;
        assert!((metres * 1.3 * 3.6 / 40.0 - travel as f64).abs() <= travel as f64 * 0.005 + 2.0, "{ranked:?}");
        let expected = self.amounts(human, slot);
        assert_eq!(ranked.seen.amounts, expected);
        let weights = [1_000, 200, 3_000, 300, 1_000, 500];
        let costs: Vec<_> =
            expected.iter().zip(weights).map(|((of, secs), weight)| (*of, secs * weight / 1_000)).collect();
        assert_eq!(ranked.costs, costs);
        assert_eq!(ranked.score_secs, costs.iter().map(|(_, cost)| cost).sum::<i64>());
    }

    fn amounts(&self, human: &Human, slot: &Slot) -> Vec<(Term, i64)> {
        let load: i64 = Self::visits_of_the_day(human, slot.arrive).map(|held| held.slot.to - held.slot.from).sum();
        let strange = !self.crew.is_empty() && !self.crew.contains(&human.name);
        vec![
            (Term::Travel, (slot.arrive - slot.from) / 1_000_000),
            (Term::Wait, (slot.arrive - self.now) / 1_000_000),
            (Term::Late, (slot.arrive - self.job.arrive_by).max(0) / 1_000_000),
            (Term::Load, load / 1_000_000),
            (Term::Overskill, (Self::level(human) - i64::from(self.job.skills["printers"])) * 60),
            (Term::Stranger, if strange { 60 } else { 0 }),
        ]
    }
}

const RULES: [HardRule; 10] = [
    HardRule::Skill,
    HardRule::SkillExpired,
    HardRule::Region,
    HardRule::Team,
    HardRule::Person,
    HardRule::OffDuty,
    HardRule::NoSlot,
    HardRule::Capacity,
    HardRule::Declined,
    HardRule::Distance,
];

/// Proves part of: D2, D13
#[test]
fn the_choice_keeps_every_hard_rule_and_adds_its_terms_up() {
    let day = Calendar::read(shift("08:00-18:00")).unwrap();
    let mut dropped_on = BTreeMap::<HardRule, u64>::new();
    let mut passed = 0;
    for seed in 0..BOARDS {
        let case = case(seed);
        let choice = chosen(&case, &day);
        assert_eq!(choice.candidates, 8);
        assert!(choice.ranked.is_sorted_by_key(|one| (one.score_secs, one.engineer.clone())), "seed {seed}");
        assert!(choice.dropped.len() + choice.ranked.len() == 8 || choice.ranked.len() == 5, "seed {seed}");
        choice.ranked.iter().for_each(|ranked| case.check_ranked(ranked));
        passed += choice.ranked.len();
        for dropped in &choice.dropped {
            let human = case.human(&dropped.engineer);
            let times = case.times(human);
            // One who is dropped for lack of time, or of days that are not full, has no time by the minute either.
            let time = times.iter().find(|slot| !Case::full(human, slot)).or(times.first());
            let edge = dropped.rule == HardRule::Distance && case.at_the_edge(human);
            assert!(edge || case.breaks(human, dropped.rule, time), "seed {seed} {dropped:?} {time:?}");
            let before = RULES.iter().take_while(|rule| **rule != dropped.rule);
            let first = before
                .filter(|rule| !matches!(rule, HardRule::SkillExpired))
                .find(|rule| case.breaks(human, **rule, time));
            assert_eq!(first, None, "seed {seed} {dropped:?}");
        }
        for rule in choice.dropped.iter().map(|dropped| dropped.rule).collect::<BTreeSet<_>>() {
            *dropped_on.entry(rule).or_default() += 1;
        }
    }
    assert!(passed > 200, "{passed} passed");
    for rule in RULES {
        let boards = dropped_on.get(&rule).copied().unwrap_or(0);
        assert!(boards * 20 >= BOARDS, "{rule:?} dropped on {boards} of {BOARDS} boards");
    }
}

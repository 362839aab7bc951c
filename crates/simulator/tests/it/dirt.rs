//! Logs that are not clean: what is malformed is refused and counted, the rest counts as if it were alone.

use std::collections::BTreeMap;

use simulator::replay::Refused;

use crate::invariance::log;
use crate::replay;

const GOOD: &str = r#"{"ticket":"t","seq":0,"ts":"2024-03-04T09:00:00Z","activity":"a","kind":"queue","state":"open"}"#;

#[test]
fn each_malformed_row_is_refused_for_its_reason() {
    let long = GOOD.replace("\"a\"", &format!("\"{}\"", "a".repeat(200_000)));
    let dirt = [
        ("{\"ticket\":", Refused::NotJson),
        ("not a row", Refused::NotJson),
        (long.as_str(), Refused::TooLong),
        ("{}", Refused::FieldMissing),
        ("[]", Refused::FieldWrong),
        ("null", Refused::FieldWrong),
        (&GOOD.replace("\"ticket\":\"t\",", ""), Refused::FieldMissing),
        (&GOOD.replace("\"ticket\":\"t\"", "\"ticket\":\"\""), Refused::FieldMissing),
        (&GOOD.replace("\"seq\":0", "\"seq\":null"), Refused::FieldMissing),
        (&GOOD.replace("\"seq\":0", "\"seq\":\"0\""), Refused::FieldWrong),
        (&GOOD.replace("\"seq\":0", "\"seq\":0.5"), Refused::FieldWrong),
        (&GOOD.replace("\"a\"", "7"), Refused::FieldWrong),
        (&GOOD.replace("2024-03-04", "2024-02-30"), Refused::TimestampWrong),
        (&GOOD.replace("2024-03-04T09:00:00Z", "yesterday"), Refused::TimestampWrong),
        (&GOOD.replace("2024", "1024"), Refused::TimestampWrong),
        (&GOOD.replace("2024-03-04T09:00:00Z", "2024-03-04T09:00:00"), Refused::TimestampWrong),
        (&GOOD.replace("queue", "lost"), Refused::KindUnknown),
        (&GOOD.replace("open", "ajar"), Refused::StateUnknown),
        (&GOOD.replace("\"seq\":0", "\"seq\":1").replace("09:00", "08:00"), Refused::Conflicting),
    ];
    let mut lines = vec![GOOD.to_owned(), GOOD.replace("\"seq\":0", "\"seq\":1")];
    lines.extend(dirt.iter().map(|(line, _)| (*line).to_owned()));
    let outcome = replay(&lines);
    let expected: Vec<_> = (3..).zip(dirt.iter().map(|(_, reason)| *reason)).collect();
    assert_eq!(outcome.refused, expected);
    assert_eq!((outcome.rows, outcome.report.events, outcome.report.tickets), (2, 2, 1));
    assert_eq!(outcome.refused_by_reason()[&Refused::TimestampWrong], 4);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let outcome = replay(&[GOOD.as_bytes(), b"{\"ticket\":\"\xff\xfe\"}", b"\x00\x00"]);
    assert_eq!((outcome.rows, outcome.refused.len()), (1, 2));
}

#[test]
fn an_empty_log_has_an_outcome() {
    let outcome = replay(&[""; 0]);
    assert_eq!((outcome.rows, outcome.report.tickets, outcome.fired), (0, 0, 0));
    assert_eq!(outcome.due_csv, b"ticket,resp_75,resp_100,res_50,res_75,res_90,res_100\n");
}

#[test]
fn what_a_row_may_leave_out_is_empty() {
    let outcome = replay(&[GOOD.replace("\"t\",", "\"t\",\"agent\":null,\"priority\":null,")]);
    let text = String::from_utf8(outcome.tickets_csv).unwrap();
    assert_eq!(outcome.refused, []);
    assert!(text.lines().nth(1).unwrap().contains(",0,,,,"), "{text}");
    assert_eq!(outcome.report.sla_by_priority[0].0.as_ref(), "");
}

#[test]
fn rows_of_one_instant_go_by_seq_and_others_by_time() {
    let row = |seq: i64, ts: &str, state: &str| {
        GOOD.replace("\"seq\":0", &format!("\"seq\":{seq}")).replace("2024-03-04T09:00:00Z", ts).replace("open", state)
    };
    let rows = [
        row(9, "2024-03-04T10:00:00+01:00", "open"),
        row(5, "2024-03-04T09:00:00.5Z", "closed"),
        row(4, "2024-03-04T10:00:00.500+01:00", "resolved"),
        row(-1, "2024-03-04T09:00:01Z", "in_progress"),
    ];
    let report = replay(&rows).report;
    assert_eq!((report.reopens_total, report.final_state[0].0), (1, "in_progress"));
    assert_eq!(report.resolution_h_cal_first.n, 1);
}

/// A log with every kind of dirt strewn over it has the outcome of the clean one.
///
/// Proves part of: I22
#[test]
fn dirt_changes_nothing_but_the_counts() {
    let clean = log();
    let mut strewn = Vec::new();
    let mut expected = BTreeMap::<Refused, usize>::new();
    let mut duplicates = 0;
    for (n, line) in clean.iter().enumerate() {
        strewn.push(line.clone());
        let (dirt, reason) = match n % 8 {
            0 => (line[..line.len() / 2].to_owned(), Refused::NotJson),
            1 => (line.replace("\"kind\":\"", "\"kind\":\"un"), Refused::KindUnknown),
            2 => (line.replace("\"state\":\"", "\"state\":\"un"), Refused::StateUnknown),
            3 => (line.replace("2024-03", "2024-13"), Refused::TimestampWrong),
            4 => (line.replace("\"activity\"", "\"act\""), Refused::FieldMissing),
            5 => (line.replace("\"agent\":\"", "\"agent\":\"somebody else, not "), Refused::Conflicting),
            6 => (line.replace("\"seq\":", "\"seq\":true,\"x\":"), Refused::FieldWrong),
            _ => {
                duplicates += 1;
                strewn.push(line.replace("\"log\":\"l\",", ""));
                continue;
            }
        };
        strewn.push(dirt);
        *expected.entry(reason).or_default() += 1;
    }
    let (clean, dirty) = (replay(&clean), replay(&strewn));
    assert_eq!((dirty.refused_by_reason(), dirty.duplicates), (expected, duplicates));
    assert_eq!((clean.json, clean.tickets_csv, clean.due_csv), (dirty.json, dirty.tickets_csv, dirty.due_csv));
}

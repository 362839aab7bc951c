//! How urgent the work is for us: the matrix of impact and urgency.

use ticket::intake::{Impact, Priority, Urgency};

/// The priority that follows from how many it touches and how soon it is needed.
pub fn matrix(impact: Impact, urgency: Urgency) -> Priority {
    match (urgency, impact) {
        (Urgency::Critical, Impact::Department | Impact::Service) | (Urgency::High, Impact::Department) => {
            Priority::Critical
        }
        (Urgency::Critical, Impact::Person)
        | (Urgency::High, Impact::Service)
        | (Urgency::Medium, Impact::Department) => Priority::High,
        (Urgency::High, Impact::Person) | (Urgency::Medium, Impact::Service | Impact::Person) => Priority::Medium,
        (Urgency::Low, _) => Priority::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves part of: I7
    #[test]
    fn the_matrix_is_the_documented_one() {
        use Priority::{Critical as C, High as H, Low as L, Medium as M};
        let rows = [
            (Urgency::Critical, [C, C, H]),
            (Urgency::High, [C, H, M]),
            (Urgency::Medium, [H, M, M]),
            (Urgency::Low, [L, L, L]),
        ];
        for (urgency, row) in rows {
            let columns = [Impact::Department, Impact::Service, Impact::Person];
            assert_eq!(columns.map(|impact| matrix(impact, urgency)), row, "{urgency:?}");
        }
    }
}

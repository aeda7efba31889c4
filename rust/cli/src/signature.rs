//! Columns as people read them, and what changed between two lists of them.

use pelton_data::Field;
use pelton_decision::manifest::Column;

/// `carrier STRING, seats INT NOT NULL`
pub fn list<'a>(fields: impl IntoIterator<Item = &'a Field>) -> String {
    let fields = fields.into_iter().map(|field| {
        let not_null = if field.nullable { "" } else { " NOT NULL" };
        format!("{} {}{not_null}", field.name, field.data_type)
    });
    fields.collect::<Vec<_>>().join(", ")
}

/// What is different in `now`, one line each: added, removed, another type, another order.
pub fn changes(what: &str, then: &[Column], now: &[Column]) -> Vec<String> {
    let find = |columns: &[Column], name: &str| columns.iter().position(|c| c.name == name);
    let mut changes = Vec::new();
    for Column { name, data_type } in then {
        match find(now, name).map(|i| &now[i].data_type) {
            None => changes.push(format!("{what} `{name}` {data_type} is gone")),
            Some(new) if new != data_type => {
                changes.push(format!("{what} `{name}` was {data_type} and is {new}"));
            }
            Some(_) => {}
        }
    }
    for Column { name, data_type } in now {
        if find(then, name).is_none() {
            changes.push(format!("{what} `{name}` {data_type} is new"));
        }
    }
    if changes.is_empty() && then != now {
        changes.push(format!("the {what}s stand in another order"));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(list: &[(&str, &str)]) -> Vec<Column> {
        let columns = list.iter().map(|(name, data_type)| Column {
            name: (*name).to_owned(),
            data_type: (*data_type).to_owned(),
        });
        columns.collect()
    }

    #[test]
    fn every_kind_of_change_is_named() {
        let then = columns(&[("a", "INT"), ("b", "STRING"), ("c", "DATE")]);
        let now = columns(&[("c", "DATE"), ("a", "BIGINT"), ("d", "INT")]);
        let expected = [
            "output `a` was INT and is BIGINT",
            "output `b` STRING is gone",
            "output `d` INT is new",
        ];
        assert_eq!(changes("output", &then, &now), expected);
        let turned: Vec<Column> = then.iter().rev().cloned().collect();
        assert_eq!(
            changes("input", &then, &turned),
            ["the inputs stand in another order"]
        );
        assert!(changes("input", &then, &then).is_empty());
    }
}

//! Tables that are asked first: whether a function looks into a collection before it puts something in, as interners, memos
//! and pools of reused values do.

use super::Symbol;
use super::access::{Access, Root, Tracer};
use super::ledger::collection_row;
use crate::facts::body::*;

/// Whether a function, closures included, looks something up in a collection and puts something into the same one: it makes
/// only what is not there yet.
pub fn fills_on_a_miss(tracer: &Tracer) -> bool {
    let (mut asked, mut filled): (Vec<Table>, Vec<Table>) = Default::default();
    let apis = tracer.model.apis;
    for index in 0..tracer.function.bodies.len() as u32 {
        let body = &tracer.body(index).body;
        for statement in &body.statements {
            // `find(&entries, key)`
            if statement.op == Op::Call {
                let places = body.args(statement).iter().filter_map(|a| a.as_place());
                let lists =
                    places.filter(|(_, place)| collection_row(tracer.model, tracer.ty(index, *place)).is_some());
                asked.extend(lists.filter_map(|(_, place)| table(tracer.place(index, place))));
            }
            if statement.op != Op::CallMethod {
                continue;
            }
            let Some((_, place)) = body.args(statement).first().and_then(|a| a.as_place()) else { continue };
            // `table.entry(key).or_insert_with(..)` asks and fills at once.
            let name = tracer.method_name(index, statement);
            let row = collection_row(tracer.model, tracer.ty(index, place));
            let grows = row.map_or_else(|| apis.is_grow_name(name), |row| row.grow.iter().any(|n| n == name));
            if name == "entry" {
                return true;
            }
            let table = table(tracer.place(index, place));
            if grows {
                filled.extend(table);
            } else if (row.is_some() || apis.is_element_name(name)) && !apis.is_bound_name(name) {
                asked.extend(table);
            }
        }
    }
    filled.iter().any(|table| asked.contains(table))
}

type Table = (Root, Option<Symbol>);

/// A list that the function made itself remembers nothing from one call to the next.
fn table(access: Access) -> Option<Table> {
    (!matches!(access.root, Root::Local(..))).then_some((access.root, access.last))
}

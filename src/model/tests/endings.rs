//! Where clients end: in the function that builds one, in those that get it from there, in structs around it.

use super::*;
use crate::apis::ObligationKind;
use crate::model::access::Tracer;
use crate::model::digest::SeedKind;
use crate::model::endings::{Ending, endings};
use crate::model::flow::Terms;

const API: &str = "use reqwest::Client;
    pub struct Api { client: Client, url: String }
    impl Api {
        fn new() -> Api { let client = Client::new(); Api { client, url: String::new() } }
        fn with(client: Client) -> Api { Api { client, url: String::new() } }
        async fn ask(&self) -> bool { self.client.get(&self.url).send().await.is_ok() }
        fn client(&self) -> Client { self.client.clone() }
        fn give(&self, all: &mut Vec<Client>) { let client = self.client.clone(); all.push(client); }
        fn keep(&self) { std::thread::spawn({ let client = self.client.clone(); move || loop { client.get(\"a\"); } }); }
    }
    fn build() -> Client { Client::new() }
    fn look(client: &Client) { client.get(\"a\"); }\n";

/// What becomes of the first client that each function builds, by function.
fn ends(items: &str) -> String {
    let model = analysed(&format!("{API}{items}"));
    let wanted = |at: u32| model.item_path(model.analysis.digests[at as usize].owner) == "f";
    let mut said = Vec::new();
    model.each_seed(
        |seed| seed.kind == SeedKind::Acquire(ObligationKind::Client),
        |tracer: &Tracer, function, seed| {
            let terms = Terms::of_shared(tracer.obligation_of(seed).expect("a client is owed"));
            let found = endings(tracer, function, seed, &terms);
            said.extend(found.iter().filter(|e| wanted(e.function)).map(in_words));
        },
    );
    said.sort();
    said.join(", ")
}

fn in_words(end: &Ending) -> String {
    let became = match &end.fate {
        _ if end.is_end() => "dropped",
        fate if fate.returned => "returned",
        fate if fate.escapes || !fate.stored.is_empty() => "handed on",
        _ => "held",
    };
    let extra = [(end.wrapped, " in a struct"), (end.stays, " at last"), (end.in_for, " in a loop")];
    let extra: String = extra.iter().filter(|(is, _)| *is).map(|(_, text)| *text).collect();
    format!("{became}{extra}")
}

#[test]
fn follows_a_client_to_where_it_is_dropped() {
    for (expected, items) in [
        ("dropped", "async fn f() { let c = Client::new(); c.get(\"a\").send().await; }"),
        ("dropped", "async fn f() { let c = build(); look(&c); }"),
        ("dropped", "async fn f(n: &[u8]) { let c = if n.is_empty() { build() } else { return }; look(&c); }"),
        ("dropped in a loop", "fn f(n: &[u8]) { for _ in n { let c = Client::new(); look(&c); } }"),
        ("dropped in a struct", "async fn f() -> bool { let api = Api::new(); api.ask().await }"),
        ("dropped", "async fn f() -> bool { let api = Api::with(Client::new()); api.ask().await }"),
        ("dropped", "fn f() { let c = Client::new(); std::thread::spawn(move || look(&c)); }"),
    ] {
        assert_eq!(ends(items), expected, "{items}");
    }
}

#[test]
fn what_lives_on_is_not_dropped() {
    for (expected, items) in [
        ("returned", "fn f() -> Client { build() }"),
        ("returned in a struct", "fn f() -> Api { Api::new() }"),
        ("returned", "fn f() -> Option<Api> { Some(Api::with(Client::new())) }"),
        ("handed on", "fn f() { other::keep(build()); }"),
        ("handed on", "fn f(all: &mut Vec<Client>) { let c = build(); all.push(c); }"),
        ("returned in a struct", "fn f() -> Client { let api = Api::new(); api.client() }"),
        ("returned in a struct", "fn f() -> Client { let api = Api::new(); api.client.clone() }"),
        ("dropped in a struct at last", "fn f() { let api = Api::new(); api.keep(); }"),
        ("handed on in a struct", "fn f(all: &mut Vec<Client>) { let api = Api::new(); api.give(all); }"),
        ("held at last", "async fn f() { let c = build(); loop { c.get(\"a\").send().await; } }"),
    ] {
        assert_eq!(ends(items), expected, "{items}");
    }
}

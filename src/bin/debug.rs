use leaklint::facts::body::*;
use leaklint::model::flow::*;
use leaklint::model::{access::Tracer, *};
fn main() {
    let path = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let d = leaklint::discover::discover(&[path], &[]).unwrap();
    let units = d
        .files
        .iter()
        .enumerate()
        .filter(|(_, f)| leaklint::check::facts_of(&f.path).is_ok())
        .map(|(i, f)| FileUnit {
            id: leaklint::source::FileId(i as u32),
            path: f.path.clone(),
            package: None,
            target: f.target,
            facts: leaklint::check::facts_of(&f.path).unwrap_or_default(),
        })
        .collect();
    let mut model = Model::link(units, vec![], leaklint::apis::Apis::builtin());
    model.analyse();
    for (i, dg) in model.analysis.digests.iter().enumerate() {
        println!(
            "## {} heat {:?} ends {:?} returns {:?}",
            model.item_path(dg.owner),
            model.analysis.heats[i],
            dg.bodies.iter().map(|b| (&b.ends, b.heat, b.serves)).collect::<Vec<_>>(),
            dg.returns
        );
        let f = model.typed(dg.root);
        let t = Tracer::new(&model, &f);
        for b in &f.bodies {
            println!(" body {:?}", b.at);
            for (k, l) in b.body.locals.iter().enumerate() {
                println!(
                    "   _{k} {} : {}",
                    l.name.get().map_or("", |n| model.text(model.name(b.at.file, n))),
                    model.ty_text(b.types.locals[k])
                );
            }
            for (k, s) in b.body.statements.iter().enumerate() {
                if matches!(s.op, Op::Call | Op::CallMethod | Op::CallValue) {
                    println!(
                        "   s{k} {:?} {:?}",
                        b.types.callees[k],
                        match b.types.callees[k] {
                            Callee::External(p) | Callee::Distinctive(p) =>
                                format!("{} row {}", model.text(p), model.fn_row(p).is_some()),
                            Callee::Def(d) => model.item_path(d),
                            _ => String::new(),
                        }
                    );
                }
            }
        }
        for e in &dg.events.list {
            println!(
                "  event {:?} {:?} key {:?} coll {:?} rep {} el {} exact {} body {} s{}",
                e.kind,
                e.access.root,
                e.key,
                e.collection,
                e.repeated,
                e.access.element,
                e.access.exact,
                e.site.body,
                e.site.statement.0
            );
        }
        println!("  aliases {:?} field_releases {:?}", dg.events.aliases, dg.field_releases);
        println!("  params {:?}", dg.params);
        for s in &dg.seeds {
            println!("  seed {:?} body {} s{}", s.kind, s.body, s.statement.0);
            let kind = match s.kind {
                leaklint::model::digest::SeedKind::Acquire(k) => k,
                _ => leaklint::apis::ObligationKind::Client,
            };
            let terms = Terms { around: true, ..Terms::of(kind) };
            println!("{:?}", fate(&t, &model.analysis.releases, terms, s.body, s.statement));
        }
    }
}

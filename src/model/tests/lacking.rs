//! What pools and clients are built without.

use super::*;
use crate::model::access::Tracer;
use crate::model::lacking::of_function;

/// What `krate::f` builds without limits, where `redis` is asked for in a version.
fn lacking_with(redis: &str, text: &str) -> Vec<String> {
    let dependency = |name: &str| Dependency {
        name: name.to_owned(),
        package: name.replace('_', "-"),
        version: if name == "redis" { redis.parse().ok() } else { None },
    };
    let root = PathBuf::from("/ws/krate/src/lib.rs");
    let info = PackageInfo {
        name: "krate".to_owned(),
        targets: vec![TargetInfo { name: "krate".to_owned(), kind: TargetKind::Lib, root: root.clone() }],
        dependencies: ["deadpool_postgres", "redis", "sqlx", "bb8", "mobc", "tokio"].map(dependency).into(),
    };
    let mut model = Model::link(vec![unit(0, root, Some(0), text)], vec![info], Apis::builtin());
    model.analyse();
    let function = model.typed(model.digest_of(model.find("krate::f")).expect("f is analysed").root);
    let tracer = Tracer::new(&model, &function);
    let text = |one: &crate::model::lacking::Lacking| {
        let what: Vec<&str> = one.lacks.iter().filter(|l| !l.minor).map(|l| l.what.as_str()).collect();
        let lifted: Vec<&str> = one.lifted.iter().map(|(_, sets)| sets.what.as_str()).collect();
        format!("{}{}{}", what.join(", "), lifted.join(", "), if one.in_sight { "" } else { ", out of sight" })
    };
    of_function(&tracer).iter().map(text).collect()
}

fn lacking(text: &str) -> Vec<String> {
    lacking_with("1", text)
}

const WAIT: &str = "a timeout for the wait for a connection";

#[test]
fn builders_lack_what_nobody_sets() {
    for (expected, body) in [
        (&[WAIT][..], "Pool::builder(m).max_size(4).build().unwrap();"),
        (&[WAIT], "let mut b = Pool::builder(m); b = b.max_size(4); let p = b.build();"),
        (&[WAIT], "let p = Pool::builder(m).wait_timeout(None).build();"),
        (&[], "let p = Pool::builder(m).wait_timeout(limit).create_timeout(limit).build();"),
        (&[], "let p = Pool::builder(m).config(from_file()).build();"),
        (&[WAIT], "let p = Pool::builder(m).config(PoolConfig::new(4)).build();"),
    ] {
        let mut found = lacking(&format!(
            "use deadpool_postgres::*; fn from_file() -> PoolConfig {{ loop {{}} }} fn f(m: Manager, limit: Option<std::time::Duration>) {{ {body} }}"
        ));
        found.iter_mut().for_each(|what| what.truncate(WAIT.len()));
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn configurations_lack_what_no_field_sets() {
    let out = format!("{WAIT}, out of sight");
    for (expected, body) in [
        (&[WAIT][..], "let mut c = Config::new(); c.host = None; c.create_pool(None, t);"),
        (&[WAIT], "let c = Config { url: None, ..Default::default() }; c.create_pool(None, t);"),
        (&[WAIT], "let mut c = Config::new(); c.pool = PoolConfig::new(3).into(); c.create_pool(None, t);"),
        (&[&out], "let c = Config::new(); change(Some(c.clone()));"),
        (&[&out], "let mut c = Config::new(); let d = &mut c; change(Some(d));"),
        (
            &[],
            "let mut p = PoolConfig::new(3); p.timeouts.wait = limit(); let c = Config { pool: Some(p), ..Default::default() };",
        ),
        (&[], "let c = Config { url: None, ..base() }; c.create_pool(None, t);"),
        (&[], "let p = PoolConfig { max_size: 3, timeouts: Timeouts::wait_millis(5), ..Default::default() };"),
        (&[WAIT], "let p = PoolConfig { max_size: 3, timeouts: Timeouts::new(), ..Default::default() };"),
    ] {
        let text = format!(
            "use deadpool_postgres::*; fn change<T>(t: T) {{}} fn base() -> Config {{ loop {{}} }} fn limit() -> Option<std::time::Duration> {{ None }} fn f() {{ {body} }}"
        );
        let found = lacking(&text);
        match expected {
            // Of what is not seen, nothing is said for certain.
            [] => {
                assert!(found.iter().all(|what| what.is_empty() || what.ends_with("out of sight")), "{body}: {found:?}")
            }
            _ => assert_eq!(found, expected, "{body}"),
        }
    }
}

#[test]
fn limits_can_be_none() {
    let connections = "a limit for connections";
    for (expected, text) in [
        (&[connections][..], "sqlx::postgres::PgPoolOptions::new().max_connections(u32::MAX).connect(url).await;"),
        (&[], "sqlx::postgres::PgPoolOptions::new().max_connections(u32::MAX).max_connections(5).connect(url).await;"),
        (&[WAIT], "sqlx::postgres::PgPoolOptions::new().acquire_timeout(std::time::Duration::MAX).connect(url).await;"),
        (&[connections], "mobc::Pool::builder().max_open(0).build(m);"),
        (&[], "mobc::Pool::builder().max_open(10).get_timeout(Some(limit)).build(m);"),
        (&[WAIT], "mobc::Pool::builder().get_timeout(None).build(m);"),
        (&[], "bb8::Pool::builder().max_size(0).build(m).await;"),
    ] {
        let text = format!("async fn f(url: &str, m: M, limit: std::time::Duration) {{ {text} }}");
        assert_eq!(lacking(&text), expected, "{text}");
    }
}

#[test]
fn defaults_are_those_of_the_version() {
    let text = "async fn f(client: redis::Client) { let c = client.get_connection_manager().await; }";
    assert_eq!(lacking_with("0.27", text), ["a timeout for responses"]);
    assert!(lacking_with("1.2", text).is_empty());
    assert!(lacking_with("*", text).is_empty());
}

//! Which functions reserve as much as somebody outside says.

use super::*;
use crate::model::peer_numbers::{Origin, reserves};

const START: &str = "
    pub struct Input { bytes: Vec<u8>, limit: Option<usize> }
    impl Input {
        fn number(&mut self) -> usize { u32::from_be_bytes([self.bytes[0], self.bytes[1], self.bytes[2], self.bytes[3]]) as usize }
        fn check(&self, n: usize) -> bool { n < 10 }
    }
";

/// The functions, with the places in them.
fn found(text: &str) -> Vec<String> {
    let model = analysed(&format!("{START}{text}"));
    let name = |function: u32| model.item_path(model.analysis.digests[function as usize].owner);
    reserves(&model).iter().map(|r| name(r.function)).collect()
}

/// Whether a function body with `input: &mut Input` does.
fn fires(body: &str) -> bool {
    !found(&format!("pub fn f(input: &mut Input) -> Option<Vec<u8>> {{ {body} }}")).is_empty()
}

#[test]
fn comparisons_count_if_great_numbers_do_not_pass() {
    assert!(fires("let n = input.number(); Some(vec![0; n])"));
    assert!(!fires("let n = input.number(); if n > 10 { return None; } Some(vec![0; n])"));
    assert!(fires("let n = input.number(); if n < 10 { return None; } Some(vec![0; n])"));
    assert!(fires("let n = input.number(); if n == 0 { return None; } Some(vec![0; n])"));
    assert!(!fires("let n = input.number(); if n != 8 { return None; } Some(vec![0; n])"));
    assert!(!fires("let n = input.number(); assert!(n * 4 <= input.bytes.len()); Some(vec![0; n])"));
    assert!(fires("let n = input.number(); if n + 4 < n { return None; } Some(vec![0; n])"));
    assert!(!fires("let n = input.number(); let fits = n < 10; if !fits { return None; } Some(vec![0; n])"));
    assert!(!fires("let n = input.number(); match n { 0..=9 => Some(vec![0; n]), _ => None }"));
    assert!(fires("let mut v = Vec::new(); let n = input.number(); if v.len() < n { v.resize(n, 0); } Some(v)"));
}

#[test]
fn a_limit_that_may_be_missing_is_one() {
    assert!(!fires(
        "let n = input.number(); if let Some(max) = input.limit { if n > max { return None; } } Some(vec![0; n])"
    ));
    assert!(fires("let n = input.number(); if input.bytes.len() > 5 { if n > 100 { return None; } } Some(vec![0; n])"));
}

#[test]
fn who_returns_a_number_may_have_checked_it() {
    let of = |check: &str| {
        let text = format!(
            "
            pub struct Config {{ max: Option<usize> }}
            impl Config {{ fn max(&self) -> Option<usize> {{ self.max }} }}
            fn length(input: &mut Input, config: &Config) -> Result<usize, String> {{
                let n = input.number() as u32;
                {check}
                Ok(n as usize)
            }}
            pub fn f(input: &mut Input, config: &Config) -> Result<Vec<u8>, String> {{
                let n = length(input, config)?;
                Ok(vec![0; n])
            }}
            "
        );
        !found(&text).is_empty()
    };
    assert!(of(""));
    assert!(!of("if let Some(max) = config.max() { if n as usize > max { return Err(format!(\"{n} {max}\")); } }"));
    assert!(!of("if n as usize > 100 { return Err(n.to_string()); }"));
    assert!(of("if n == 0 { return Err(n.to_string()); }"));
}

#[test]
fn the_old_question_mark_hands_numbers_on() {
    assert_eq!(
        found(
            "
            fn pair(input: &mut Input) -> Result<(u8, usize), ()> { Ok((0, input.number())) }
            pub fn a(input: &mut Input) -> Result<Vec<u8>, ()> { let (_, n) = try!(pair(input)); Ok(vec![0; n]) }
            "
        ),
        ["a"]
    );
}

#[test]
fn a_getter_tells_the_same_twice() {
    let of = |check: &str| {
        let text = format!(
            "pub fn f(r: reqwest::Response, s: reqwest::Response, max: u64) -> Vec<u8> {{
                {check}
                Vec::with_capacity(r.content_length().unwrap_or(0) as usize)
            }}"
        );
        !found(&text).is_empty()
    };
    assert!(of(""));
    assert!(!of("if let Some(n) = r.content_length() { if n > max { return Vec::new(); } }"));
    assert!(!of("if let Some(n) = r.content_length() { if n > 4096 { return Vec::new(); } }"));
    assert!(of("if let Some(n) = s.content_length() { if n > max { return Vec::new(); } }"));
    assert!(of("if let Some(n) = r.content_length() { if n > max { println!(); } }"));
}

#[test]
fn what_is_missing_of_a_frame_is_told() {
    let rest = |body: &str| {
        let model = analysed(&format!(
            "{START} pub fn f(input: &mut Input, buf: &mut Vec<u8>, other: &[u8]) {{ let n = input.number(); {body} }}"
        ));
        reserves(&model).first().map(|r| r.is_rest)
    };
    assert_eq!(rest("if buf.len() < n { let more = n - buf.len(); buf.reserve(more); }"), Some(true));
    assert_eq!(rest("if buf.len() < n { buf.reserve(4 + n - buf.len()); }"), Some(true));
    assert_eq!(rest("if buf.len() < n { buf.reserve(n); }"), Some(false));
    assert_eq!(rest("buf.reserve(n - other.len());"), Some(false));
}

#[test]
fn loops_that_fill_up_reserve() {
    assert!(fires("let n = input.number(); let mut v = vec![]; while v.len() <= n { v.push(0); } Some(v)"));
    assert!(!fires("let n = input.number(); let mut v = vec![]; while v.len() < n { v.push(input.byte()?); } Some(v)"));
    assert!(!fires(
        "let n = input.number(); if n > 9 { return None; } let mut v = vec![]; while v.len() < n { v.push(0); } Some(v)"
    ));
    assert!(!fires("let n = input.number(); let mut v = vec![0]; while v.len() < n { v.clear(); } Some(v)"));
}

#[test]
fn what_may_make_it_small_does() {
    assert!(!fires("let n = input.number(); Some(Vec::with_capacity(n.min(10)))"));
    assert!(!fires("let n = std::cmp::min(input.number(), 10); Some(Vec::with_capacity(n))"));
    assert!(!fires("let n = input.number() & 0xff; Some(vec![0; n])"));
    assert!(fires("let n = input.number() & 0x7fff_ffff; Some(vec![0; n])"));
    assert!(!fires("let n = input.number() % 7; Some(vec![0; n])"));
    assert!(!fires("let mut n = input.number(); n &= 7; Some(vec![0; n])"));
    assert!(!fires("let n = input.number() as u16; Some(vec![0; n as usize])"));
    assert!(!fires("let n = Some(input.number()).filter(|n| *n < 10)?; Some(vec![0; n])"));
    assert!(!fires("let n = input.number(); if !input.check(n) { return None; } Some(vec![0; n])"));
    assert!(!fires(
        "let n = input.number(); let part = &input.bytes[..n]; let mut v = Vec::with_capacity(n); v.extend(part); Some(v)"
    ));
    assert!(fires("let n = input.number(); for i in 0..n { drop(i); } Some(vec![0; n])"));
    assert!(fires("let n = input.number().checked_mul(4)?; println!(\"{n}\"); Some(Vec::with_capacity(n + 1))"));
}

#[test]
fn numbers_go_through_functions_and_structs() {
    assert_eq!(
        found(
            "
            pub struct Head { pub kind: u8, pub len: usize }
            fn head(input: &mut Input) -> Option<Head> { let len = input.number(); Some(Head { kind: 1, len }) }
            fn pair(input: &mut Input) -> (u8, usize) { (0, input.number()) }
            fn room(n: usize) -> Vec<u8> { Vec::with_capacity(n) }
            fn small(n: usize) -> Vec<u8> { if n > 9 { Vec::new() } else { vec![0; n] } }
            pub fn a(input: &mut Input) -> Option<Vec<u8>> { let h = head(input)?; Some(vec![0; h.len]) }
            pub fn b(input: &mut Input) -> Option<Vec<u8>> { let h = head(input)?; Some(vec![0; h.kind as usize]) }
            pub fn c(input: &mut Input) -> Vec<u8> { let (_, n) = pair(input); room(n) }
            pub fn d(input: &mut Input) -> Vec<u8> { let (_, n) = pair(input); small(n) }
            "
        ),
        ["a", "c"]
    );
}

#[test]
fn fields_hold_numbers_until_somebody_compares_them() {
    let parser = |more: &str| {
        found(&format!(
            "
            pub struct Parser {{ need: usize, buffer: Vec<u8> }}
            impl Parser {{
                pub fn read(&mut self, input: &mut Input) {{ self.need = input.number(); }}
                pub fn start(&mut self) {{ self.buffer.reserve(self.need); }}
                {more}
            }}
            "
        ))
    };
    assert_eq!(parser(""), ["Parser::start"]);
    assert_eq!(parser("pub fn is_fine(&self) -> bool { self.need < 10 }"), Vec::<String>::new());
}

#[test]
fn bytes_put_together_are_a_number() {
    let of = |body: &str| !found(&format!("pub fn f(b: &[u8]) -> Vec<u8> {{ {body} }}")).is_empty();
    assert!(of("let n = (b[0] as usize) << 24 | (b[1] as usize) << 16 | b[2] as usize; vec![0; n]"));
    assert!(!of("let n = (b[0] as usize) << 8 | b[1] as usize; vec![0; n]"));
    assert!(!of("let n = 1usize << b[0]; let m = b.len() << 20; vec![0; n + m]"));
}

#[test]
fn types_say_who_chose_it() {
    let origin = |ty: &str| {
        let model = analysed(&format!(
            "use std::io::Read; pub fn f(r: &mut {ty}) {{ let mut b = [0; 4]; r.read_exact(&mut b).unwrap();
             let n = u32::from_le_bytes(b); let v = vec![0; n as usize]; }}"
        ));
        reserves(&model).first().map(|r| r.origin)
    };
    assert_eq!(origin("std::net::TcpStream"), Some(Origin::Peer));
    assert_eq!(origin("std::io::BufReader<std::fs::File>"), Some(Origin::File));
    assert_eq!(origin("std::os::unix::net::UnixStream"), Some(Origin::Local));
    assert_eq!(origin("dyn Read"), Some(Origin::Bytes));
}

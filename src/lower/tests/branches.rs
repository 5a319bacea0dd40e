//! Branches with their conditions and patterns.

use super::{dump, flow};
use insta::assert_snapshot;

#[test]
fn if_else_if() {
    assert_snapshot!(flow("let r = if fd < 0 { a() } else if p.is_null() { b() } else { c() };"), @r"
    body 0 fn in f
      b0:
        t2 = Lt(fd, 0)
        Branch t2
          -> b4 drops t2
          -> b2 drops t2
      b1:
        Exit
      b2:
        t3 = is_null . (self:p)
        Branch t3
          -> b7 drops t3
          -> b5 drops t3
      b3:
        ret = ()
        Goto
          -> b1 drops r.1
      b4:
        r.1 = a()
        Goto
          -> b3
      b5:
        r.1 = c()
        Goto
          -> b6
      b6:
        Goto
          -> b3
      b7:
        r.1 = b()
        Goto
          -> b6
    ");
}

#[test]
fn and_or_not() {
    assert_snapshot!(flow("if !(a && b) || c { x(); }"), @r"
    body 0 fn in f
      b0:
        Branch a
          -> b6
          -> b4
      b1:
        Exit
      b2:
        ret = ()
        Goto
          -> b3
      b3:
        Goto
          -> b1
      b4:
        t1 = x()
        end t1
        ret = ()
        Goto
          -> b3
      b5:
        Branch c
          -> b4
          -> b2
      b6:
        Branch b
          -> b5
          -> b4
    ");
}

#[test]
fn and_or_as_values() {
    assert_snapshot!(flow("let r = a() && b();"), @r"
    body 0 fn in f
      b0:
        t2 = a()
        Branch t2
          -> b5 drops t2
          -> b4 drops t2
      b1:
        Exit
      b2:
        ret = ()
        Goto
          -> b1 drops r.1
      b3:
        r.1 = true
        Goto
          -> b2
      b4:
        r.1 = false
        Goto
          -> b2
      b5:
        t3 = b()
        Branch t3
          -> b3 drops t3
          -> b4 drops t3
    ");
}

#[test]
fn if_let_chains() {
    assert_snapshot!(flow("if let Some(x) = a() && x > 1 && let Ok(y) = b(x) { c(y); } else { d(); }"), @r"
    body 0 fn in f
      b0:
        t1 = a()
        Switch match:t1
          -> b7 if Some(x.2)
          -> b2 drops t1
      b1:
        Exit
      b2:
        t7 = d()
        end t7
        ret = ()
        Goto
          -> b3
      b3:
        Goto
          -> b1
      b4:
        t6 = c(y.5)
        end t6
        ret = ()
        end y.5 t4 x.2 t1
        Goto
          -> b3
      b5:
        t4 = b(x.2)
        Switch match:t4
          -> b8 if Ok(y.5)
          -> b2 drops t4 x.2 t1
      b6:
        t3 = Gt(x.2, 1)
        Branch t3
          -> b5 drops t3
          -> b2 drops t3 x.2 t1
      b7:
        x.2 = (t1 as Some).0
        Goto
          -> b6
      b8:
        y.5 = (t4 as Ok).0
        Goto
          -> b4
    ");
}

#[test]
fn guards_fall_through_to_the_arms_after_them() {
    assert_snapshot!(flow("match get() { Some(x) if x.ok() => a(x), Some(y) => b(y), None => {} }"), @r"
    body 0 fn in f
      b0:
        t1 = get()
        Switch match:t1
          -> b3 if Some(x.2)
          -> b4 if Some(y.3)
          -> b5 if None
      b1:
        Exit
      b2:
        Goto
          -> b1 drops t1
      b3:
        x.2 = (t1 as Some).0
        t4 = ok . (self:x.2)
        Branch t4
          -> b6 drops t4
          -> b7 drops t4
      b4:
        y.3 = (t1 as Some).0
        ret = b(y.3)
        end y.3
        Goto
          -> b2
      b5:
        ret = ()
        Goto
          -> b2
      b6:
        ret = a(x.2)
        end x.2
        Goto
          -> b2
      b7:
        Switch match:t1
          -> b4 if Some(y.3) drops x.2
          -> b5 if None drops x.2
    ");
}

#[test]
fn let_chains_in_guards() {
    assert_snapshot!(flow("match a { Some(x) if let Ok(y) = x.f() => y, _ => 0 };"), @r"
    body 0 fn in f
      b0:
        Switch match:a
          -> b3 if Some(x.1)
          -> b4 if _
      b1:
        Exit
      b2:
        ret = ()
        Goto
          -> b1
      b3:
        x.1 = (a as Some).0
        t2 = f . (self:x.1)
        Switch match:t2
          -> b7 if Ok(y.3)
          -> b6
      b4:
        Goto
          -> b2
      b5:
        use y.3
        end y.3 t2 x.1
        Goto
          -> b2
      b6:
        Switch match:a
          -> b4 if _ drops y.3 t2 x.1
      b7:
        y.3 = (t2 as Ok).0
        Goto
          -> b5
    ");
}

#[test]
fn or_patterns_bind_once() {
    assert_snapshot!(flow("match m { A(x, ..) | B { x, .. } | C(_, x) => use_it(x), 1..=3 | 7 => {} _ => {} }"), @r"
    body 0 fn in f
      b0:
        Switch match:m
          -> b3 if (A(x.1, _) | B { x.1 } | C(_, x.1))
          -> b4 if (.. | 7)
          -> b5 if _
      b1:
        Exit
      b2:
        Goto
          -> b1
      b3:
        x.1 = (m as A).0
        ret = use_it(x.1)
        end x.1
        Goto
          -> b2
      b4:
        ret = ()
        Goto
          -> b2
      b5:
        ret = ()
        Goto
          -> b2
    ");
}

#[test]
fn patterns_of_all_shapes() {
    assert_snapshot!(flow("let (a, &[b, .., c], P { d: ref e, f: ref mut g }, h @ Some(_), (.., i)) = v;"), @r"
    body 0 fn in f
      b0:
        a.1 = v.0
        b.2 = (*v.1)[_]
        c.3 = (*v.1)[_]
        e.4 = &(v.2 as P).d
        g.5 = &mut (v.2 as P).f
        h.6 = v.3
        i.7 = v.4[_]
        ret = ()
        Goto
          -> b1 drops i.7 h.6 g.5 e.4 c.3 b.2 a.1
      b1:
        Exit
    ");
}

#[test]
fn names_in_upper_case_are_constants() {
    assert_snapshot!(flow("match rc { OK => {}, a::FAILED => b(), None => c(), other => d(other) }"), @r"
    body 0 fn in f
      b0:
        Switch match:rc
          -> b3 if OK
          -> b4 if a::FAILED
          -> b5 if None
          -> b6 if other.1
      b1:
        Exit
      b2:
        Goto
          -> b1
      b3:
        ret = ()
        Goto
          -> b2
      b4:
        ret = b()
        Goto
          -> b2
      b5:
        ret = c()
        Goto
          -> b2
      b6:
        other.1 = rc
        ret = d(other.1)
        end other.1
        Goto
          -> b2
    ");
}

#[test]
fn partial_patterns_leave_the_rest_in_the_scrutinee() {
    assert_snapshot!(flow("match spawn() { Ok(_) => a(), Err(e) => b(e) } let out = spawn()?.stdout;"), @r"
    body 0 fn in f +error-exit
      b0:
        t1 = spawn()
        Switch match:t1
          -> b3 if Ok(_)
          -> b4 if Err(e.2)
      b1:
        Exit
      b2:
        end t1
        t7 = spawn()
        Try t7
          -> b5
          -> b1 error drops t7
      b3:
        t3 = a()
        end t3
        Goto
          -> b2
      b4:
        e.2 = (t1 as Err).0
        t4 = b(e.2)
        end t4 e.2
        Goto
          -> b2
      b5:
        t6 = t7.?
        out.5 = t6.stdout
        end t7 t6
        ret = ()
        Goto
          -> b1 drops out.5
    ");
}

#[test]
fn let_else() {
    assert_snapshot!(flow("let Some(job) = queue.lock().unwrap().pop() else { return; }; run(job);"), @r"
    body 0 fn in f +early-exit
      b0:
        t3 = lock . (self:queue)
        t2 = unwrap . (self:t3)
        t1 = pop . (self:t2)
        Switch match:t1
          -> b3 if Some(job.4)
          -> b2 drops t3 t2 t1
      b1:
        Exit
      b2:
        ret = ()
        Goto
          -> b1 early
      b3:
        job.4 = (t1 as Some).0
        end t3 t2 t1
        t5 = run(job.4)
        end t5
        ret = ()
        Goto
          -> b1 drops job.4
    ");
}

#[test]
fn matches_as_condition_and_as_value() {
    assert_snapshot!(flow("if matches!(a, Some(x) if x > 1) { b(); } let c = !matches!(d(), E | F(_));"), @r"
    body 0 fn in f
      b0:
        Switch match:a
          -> b6 if Some(x.1)
          -> b2
      b1:
        Exit
      b2:
        Goto
          -> b3
      b3:
        t6 = d()
        Switch match:t6
          -> b10 if (E | F(_))
          -> b9
      b4:
        t3 = b()
        end t3
        end x.1
        Goto
          -> b3
      b5:
        t2 = Gt(x.1, 1)
        Branch t2
          -> b4 drops t2
          -> b2 drops t2 x.1
      b6:
        x.1 = (a as Some).0
        Goto
          -> b5
      b7:
        c.4 = not(t5)
        end t5
        ret = ()
        Goto
          -> b1 drops c.4
      b8:
        t5 = true
        Goto
          -> b7 drops t6
      b9:
        t5 = false
        Goto
          -> b7 drops t6
      b10:
        Goto
          -> b8
    ");
}

#[test]
fn names_of_matches_end_with_it() {
    assert_snapshot!(dump("fn f(x: u8, r: R) { if matches!(r, Ok(x)) { g(x) } assert!(matches!(r, Err(x))); \
        g(x) }"), @r"
    body 0 fn in f
      b0:
        Switch match:r.2
          -> b5 if Ok(x.3)
          -> b2
      b1:
        Exit
      b2:
        Goto
          -> b3
      b3:
        Switch match:r.2
          -> b8 if Err(x.5)
          -> b7
      b4:
        t4 = g(x.1)
        end t4
        end x.3
        Goto
          -> b3
      b5:
        x.3 = (r.2 as Ok).0
        Goto
          -> b4
      b6:
        end t6 x.5
        ret = g(x.1)
        Goto
          -> b1
      b7:
        t6 = assert!()
        Diverge
      b8:
        x.5 = (r.2 as Err).0
        Goto
          -> b6
    ");
}

#[test]
fn a_match_without_arms_ends_the_flow() {
    assert_snapshot!(flow("match never {} after();"), @r"
    body 0 fn in f
      b0:
        Switch match:never
    ");
}

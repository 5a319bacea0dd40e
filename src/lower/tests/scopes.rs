//! Scopes, and the drops that follow from them.

use super::{dump, flow};
use insta::assert_snapshot;

#[test]
fn blocks_end_what_they_declare() {
    assert_snapshot!(flow("let a = x(); { let b = y(); z(&b); } w(a);"), @r"
    body 0 fn in f
      b0:
        a.1 = x()
        b.2 = y()
        t3 = z(&b.2)
        end t3
        end b.2
        t4 = w(a.1)
        end t4
        ret = ()
        Goto
          -> b1 drops a.1
      b1:
        Exit
    ");
}

#[test]
fn shadowing_drops_nothing() {
    assert_snapshot!(flow("let a = x(); let a = y(a); if c { return; }"), @r"
    body 0 fn in f +early-exit
      b0:
        a.1 = x()
        a.2 = y(a.1)
        Branch c
          -> b4
          -> b2
      b1:
        Exit
      b2:
        ret = ()
        Goto
          -> b3
      b3:
        Goto
          -> b1 drops a.2 a.1
      b4:
        ret = ()
        Goto
          -> b1 early drops a.2 a.1
    ");
}

#[test]
fn temporaries_die_with_their_statement() {
    assert_snapshot!(flow("m.lock().unwrap().push(v()); let n = m.lock().unwrap().len(); last();"), @r"
    body 0 fn in f
      b0:
        t2 = lock . (self:m)
        t1 = unwrap . (self:t2)
        t3 = v()
        t4 = push . (self:t1, t3)
        end t4 t3 t2 t1
        t7 = lock . (self:m)
        t6 = unwrap . (self:t7)
        n.5 = len . (self:t6)
        end t7 t6
        t8 = last()
        end t8
        ret = ()
        Goto
          -> b1 drops n.5
      b1:
        Exit
    ");
}

#[test]
fn what_a_let_borrows_lives_as_long() {
    assert_snapshot!(flow("let a = &make(); let b = &mut make().field; let c = &place; let d = &g(&h()); \
        last();"), @r"
    body 0 fn in f
      b0:
        t2 = make()
        a.1 = &t2
        t4 = make()
        b.3 = &mut t4.field
        c.5 = &place
        t8 = h()
        t7 = g(&t8)
        d.6 = &t7
        end t8
        t9 = last()
        end t9
        ret = ()
        Goto
          -> b1 drops t7 d.6 c.5 t4 b.3 t2 a.1
      b1:
        Exit
    ");
}

#[test]
fn temporaries_of_a_condition_die_before_the_block() {
    assert_snapshot!(flow("if m.lock().unwrap().is_empty() { a(); }"), @r"
    body 0 fn in f
      b0:
        t3 = lock . (self:m)
        t2 = unwrap . (self:t3)
        t1 = is_empty . (self:t2)
        Branch t1
          -> b4 drops t3 t2 t1
          -> b2 drops t3 t2 t1
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
        t4 = a()
        end t4
        ret = ()
        Goto
          -> b3
    ");
}

#[test]
fn temporaries_of_a_scrutinee_live_through_the_match() {
    assert_snapshot!(flow("match m.lock().unwrap().get() { Some(x) => a(x), None => return, }"), @r"
    body 0 fn in f +early-exit
      b0:
        t3 = lock . (self:m)
        t2 = unwrap . (self:t3)
        t1 = get . (self:t2)
        Switch match:t1
          -> b3 if Some(x.4)
          -> b4 if None
      b1:
        Exit
      b2:
        Goto
          -> b1 drops t3 t2 t1
      b3:
        x.4 = (t1 as Some).0
        ret = a(x.4)
        end x.4
        Goto
          -> b2
      b4:
        ret = ()
        Goto
          -> b1 early drops t3 t2 t1
    ");
}

#[test]
fn arms_end_their_bindings() {
    assert_snapshot!(flow("match x { A(a) => { let b = f(a); g()?; } B(c) if h(&c) => i(), _ => {} }"), @r"
    body 0 fn in f +error-exit
      b0:
        Switch match:x
          -> b3 if A(a.1)
          -> b4 if B(c.2)
          -> b5 if _
      b1:
        Exit
      b2:
        Goto
          -> b1
      b3:
        a.1 = (x as A).0
        b.3 = f(a.1)
        t4 = g()
        Try t4
          -> b6
          -> b1 error drops t4 b.3 a.1
      b4:
        c.2 = (x as B).0
        t6 = h(&c.2)
        Branch t6
          -> b7 drops t6
          -> b8 drops t6
      b5:
        ret = ()
        Goto
          -> b2
      b6:
        t5 = t4.?
        end t5 t4
        ret = ()
        end b.3
        end a.1
        Goto
          -> b2
      b7:
        ret = i()
        end c.2
        Goto
          -> b2
      b8:
        Switch match:x
          -> b5 if _ drops c.2
    ");
}

#[test]
fn every_round_of_a_loop_ends_what_it_declares() {
    assert_snapshot!(flow("let s = set(); for x in xs { let y = a(x); if b { continue; } if c { break; } \
        d()?; s.push(y); }"), @r"
    body 0 fn in f +loop +error-exit
      b0:
        s.1 = set()
        Goto
          -> b3
      b1:
        Exit
      b2:
        Goto
          -> b1 drops s.1
      b3 in loop0 header(For):
        Next xs
          -> b4
          -> b2
      b4 in loop0:
        x.2 = xs[_]
        y.3 = a(x.2)
        Branch b
          -> b7
          -> b5
      b5 in loop0:
        Goto
          -> b6
      b6 in loop0:
        Branch c
          -> b11
          -> b9
      b7 in loop0:
        Goto
          -> b3 drops y.3 x.2
      b9 in loop0:
        Goto
          -> b10
      b10 in loop0:
        t4 = d()
        Try t4
          -> b13
          -> b1 error drops t4 y.3 x.2 s.1
      b11 in loop0:
        Goto
          -> b2 drops y.3 x.2
      b13 in loop0:
        t5 = t4.?
        end t5 t4
        t6 = push . (self:s.1, y.3)
        end t6
        end y.3 x.2
        Goto
          -> b3
    ");
}

#[test]
fn wild_let_drops_values_and_leaves_places() {
    assert_snapshot!(flow("let a = x(); let _ = a; let _ = y(); let _z = w(); let _ = a.b;"), @r"
    body 0 fn in f
      b0:
        a.1 = x()
        t2 = y()
        end t2
        _z.3 = w()
        ret = ()
        Goto
          -> b1 drops _z.3 a.1
      b1:
        Exit
    ");
}

#[test]
fn partial_moves_leave_the_rest_to_the_statement() {
    assert_snapshot!(flow("let S { a, .. } = make(); let (b, _) = pair(); let c = make().a;"), @r"
    body 0 fn in f
      b0:
        t1 = make()
        a.2 = (t1 as S).a
        end t1
        t3 = pair()
        b.4 = t3.0
        end t3
        t6 = make()
        c.5 = t6.a
        end t6
        ret = ()
        Goto
          -> b1 drops c.5 b.4 a.2
      b1:
        Exit
    ");
}

#[test]
fn declared_first_and_assigned_later() {
    assert_snapshot!(flow("let x; let (y, z); if c { x = a(); } else { x = b(); } (y, z) = p(); x.go(y);"), @r"
    body 0 fn in f
      b0:
        declare x.1
        declare y.2
        declare z.3
        Branch c
          -> b4
          -> b2
      b1:
        Exit
      b2:
        t5 = b()
        x.1 = t5
        end t5
        Goto
          -> b3
      b3:
        t6 = p()
        y.2 = t6.0
        z.3 = t6.1
        end t6
        t7 = go . (self:x.1, y.2)
        end t7
        ret = ()
        Goto
          -> b1 drops z.3 y.2 x.1
      b4:
        t4 = a()
        x.1 = t4
        end t4
        Goto
          -> b3
    ");
}

#[test]
fn parameters_that_are_patterns() {
    assert_snapshot!(dump("fn f(self, State(db): State<Db>, (a, mut b): (A, B), _: C) { a.go(b, db) }"), @r"
    body 0 fn in f
      b0:
        db.5 = (t2 as State).0
        a.6 = t3.0
        b.7 = t3.1
        ret = go . (self:a.6, b.7, db.5)
        Goto
          -> b1 drops b.7 a.6 db.5
      b1:
        Exit
    ");
}

#[test]
fn unsafe_and_const_blocks_are_blocks() {
    assert_snapshot!(flow("let x = unsafe { let p = alloc(); p }; let y = const { g() };"), @r"
    body 0 fn in f
      b0:
        p.2 = alloc()
        x.1 = p.2
        end p.2
        y.3 = g()
        ret = ()
        Goto
          -> b1 drops y.3 x.1
      b1:
        Exit
    ");
}

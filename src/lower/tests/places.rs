//! Places with their projections, and statements.

use super::flow;
use insta::assert_snapshot;

#[test]
fn projections() {
    assert_snapshot!(flow("let a = x.y.0; let b = *p.q; let c = v[i + 1].z; S.w = a;"), @r"
    body 0 fn in f
      b0:
        a.1 = x.y.0
        b.2 = (*p.q)
        t4 = Arithmetic(i, 1)
        c.3 = v[_].z
        end t4
        S.w = a.1
        ret = ()
        Goto
          -> b1 drops c.3 b.2 a.1
      b1:
        Exit
    ");
}

#[test]
fn positions() {
    assert_snapshot!(flow("let x = a(); b(x, &x, &mut x, &raw const x.f, &raw mut x); x.m(&x.g); (x)(1);"), @r"
    body 0 fn in f
      b0:
        x.1 = a()
        t2 = b(x.1, &x.1, &mut x.1, &x.1.f, &mut x.1)
        end t2
        t3 = m . (self:x.1, &x.1.g)
        end t3
        t4 = call(self:x.1, 1)
        end t4
        ret = ()
        Goto
          -> b1 drops x.1
      b1:
        Exit
    ");
}

#[test]
fn success_and_output() {
    assert_snapshot!(flow("let x = connect().await?.stream;"), @r"
    body 0 fn in f +await +error-exit
      b0:
        t4 = connect()
        Await t4
          -> b2
          -> b1 cancel drops t4
      b1:
        Exit
      b2:
        t3 = t4.await
        Try t3
          -> b3
          -> b1 error drops t4 t3
      b3:
        t2 = t3.?
        x.1 = t2.stream
        end t4 t3 t2
        ret = ()
        Goto
          -> b1 drops x.1
    ");
}

#[test]
fn aggregates() {
    assert_snapshot!(flow(r#"let t = (1, x); let s = S { a: t.0, b, ..base }; let v = [s, S2]; let r = [0u8;
        4]; let g = 1..n;"#), @r"
    body 0 fn in f
      b0:
        t.1 = tuple(1, x)
        s.2 = S { 'a, t.1.0, 'b, b, base }
        v.3 = [s.2, S2]
        r.4 = [0, 4]
        g.5 = range(1, n)
        ret = ()
        Goto
          -> b1 drops g.5 r.4 v.3 s.2 t.1
      b1:
        Exit
    ");
}

#[test]
fn operators_keep_what_they_are() {
    assert_snapshot!(flow("let a = n as usize + 1; let b = !a; let c = -a == b; i += 1; *p <<= 2;"), @r"
    body 0 fn in f
      b0:
        t2 = n as usize
        a.1 = Arithmetic(t2, 1)
        end t2
        b.3 = not(a.1)
        t5 = neg(a.1)
        c.4 = Eq(t5, b.3)
        end t5
        i = Arithmetic(i, 1)
        (*p) = Shl((*p), 2)
        ret = ()
        Goto
          -> b1 drops c.4 b.3 a.1
      b1:
        Exit
    ");
}

#[test]
fn literals() {
    assert_snapshot!(flow(r#"f(1_000, 2.5, "text", b"bytes", 'c', true, ());"#), @r#"
    body 0 fn in f
      b0:
        t1 = f(1000, 2.5, "text", "_", _, true, ())
        end t1
        ret = ()
        Goto
          -> b1
      b1:
        Exit
    "#);
}

#[test]
fn long_arrays_of_literals_are_cut() {
    assert_snapshot!(flow("let a = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, x];"), @r"
    body 0 fn in f
      b0:
        a.1 = [1, 2, 3, 4, 5, 6, 7, 8, x]
        ret = ()
        Goto
          -> b1 drops a.1
      b1:
        Exit
    ");
}

#[test]
fn calls_keep_their_generic_arguments() {
    assert_snapshot!(flow("let v = it.collect::<Vec<_>>(); <T as Tr<u8>>::make::<A>(v); ::a::b();"), @r"
    body 0 fn in f
      b0:
        v.1 = collect<Vec<_>> . (self:it)
        t2 = <T>::Tr<u8>::make<A>(v.1)
        end t2
        t3 = ::a::b()
        end t3
        ret = ()
        Goto
          -> b1 drops v.1
      b1:
        Exit
    ");
}

#[test]
fn assignments_take_tuples_and_structs_apart() {
    assert_snapshot!(flow("(a, _) = f(); S { x, .. } = g(); [b.c, ..] = h(); Some(d) = k(); (e, .., l) = \
        m(); _ = n();"), @r"
    body 0 fn in f
      b0:
        t1 = f()
        a = t1.0
        end t1
        t2 = g()
        x = (t2 as S).x
        end t2
        t3 = h()
        b.c = t3[_]
        end t3
        t4 = k()
        d = (t4 as Some).0
        end t4
        t5 = m()
        e = t5.0
        l = t5[_]
        end t5
        t6 = n()
        end t6
        ret = ()
        Goto
          -> b1
      b1:
        Exit
    ");
}

#[test]
fn a_value_is_read_before_it_is_written() {
    assert_snapshot!(flow("let mut x = a(); x = b(x);"), @r"
    body 0 fn in f
      b0:
        x.1 = a()
        t2 = b(x.1)
        x.1 = t2
        end t2
        ret = ()
        Goto
          -> b1 drops x.1
      b1:
        Exit
    ");
}

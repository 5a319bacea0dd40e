//! Closures, async blocks and nested items: bodies of their own with what they capture.

use super::{dump, flow};
use insta::assert_snapshot;

#[test]
fn captures() {
    assert_snapshot!(flow("let a = x(); let b = y(); let c = move |p: T, (q, r)| -> U { a.go(p, q); r };"), @r"
    body 0 fn in f
      b0:
        a.1 = x()
        b.2 = y()
        c.3 = closure body 1 [capture:a.1]
        ret = ()
        Goto
          -> b1 drops c.3 b.2 a.1
      b1:
        Exit

    body 1 closure in f +move
      b0:
        q.3 = t2.0
        r.4 = t2.1
        t6 = go . (self:a.5, p.1, q.3)
        end t6
        ret = r.4
        Goto
          -> b1 drops r.4 q.3
      b1:
        Exit
    ");
}

#[test]
fn async_blocks() {
    assert_snapshot!(flow("let a = x(); spawn(async move { a.run().await; });"), @r"
    body 0 fn in f
      b0:
        a.1 = x()
        t2 = async body 1 [capture:a.1]
        t3 = spawn(t2)
        end t3 t2
        ret = ()
        Goto
          -> b1 drops a.1
      b1:
        Exit

    body 1 async block in f +move +await
      b0:
        t1 = run . (self:a.2)
        Await t1
          -> b2
          -> b1 cancel drops t1
      b1:
        Exit
      b2:
        t3 = t1.await
        end t3 t1
        ret = ()
        Goto
          -> b1
    ");
}

#[test]
fn async_closures() {
    assert_snapshot!(flow("let a = x(); let c = async move |m| { a.send(m).await };"), @r"
    body 0 fn in f
      b0:
        a.1 = x()
        c.2 = closure body 1 [capture:a.1]
        ret = ()
        Goto
          -> b1 drops c.2 a.1
      b1:
        Exit

    body 1 closure in f +move +async +await
      b0:
        t2 = send . (self:a.3, m.1)
        Await t2
          -> b2
          -> b1 cancel drops t2
      b1:
        Exit
      b2:
        ret = t2.await
        end t2
        Goto
          -> b1
    ");
}

#[test]
fn captures_two_deep() {
    assert_snapshot!(flow("let a = x(); spawn(async move { let b = y(); go(|| { a.f(b.g()) }) });"), @r"
    body 0 fn in f
      b0:
        a.1 = x()
        t2 = async body 1 [capture:a.1]
        t3 = spawn(t2)
        end t3 t2
        ret = ()
        Goto
          -> b1 drops a.1
      b1:
        Exit

    body 1 async block in f +move
      b0:
        b.1 = y()
        t2 = closure body 2 [capture:a.3, capture:b.1]
        ret = go(t2)
        Goto
          -> b1 drops t2 b.1
      b1:
        Exit

    body 2 closure in f
      b0:
        t2 = g . (self:b.3)
        ret = f . (self:a.1, t2)
        end t2
        Goto
          -> b1
      b1:
        Exit
    ");
}

#[test]
fn format_strings_capture() {
    assert_snapshot!(flow(r#"let a = x(); let w = 3; go(move || println!("{a:?} {{w}} {:>w$}", 1));"#), @r"
    body 0 fn in f
      b0:
        a.1 = x()
        w.2 = 3
        t3 = closure body 1 [capture:a.1, capture:w.2]
        t4 = go(t3)
        end t4 t3
        ret = ()
        Goto
          -> b1 drops w.2 a.1
      b1:
        Exit

    body 1 closure in f +move
      b0:
        ret = println!(&a.1, &w.2, 1)
        Goto
          -> b1
      b1:
        Exit
    ");
}

#[test]
fn parameters_and_shadows_are_no_captures() {
    assert_snapshot!(flow("let a = x(); let c = |a| { let b = a; b }; let d = || { let a = 1; a };"), @r"
    body 0 fn in f
      b0:
        a.1 = x()
        c.2 = closure body 1 []
        d.3 = closure body 2 []
        ret = ()
        Goto
          -> b1 drops d.3 c.2 a.1
      b1:
        Exit

    body 1 closure in f
      b0:
        b.2 = a.1
        ret = b.2
        end b.2
        Goto
          -> b1
      b1:
        Exit

    body 2 closure in f
      b0:
        a.1 = 1
        ret = a.1
        end a.1
        Goto
          -> b1
      b1:
        Exit
    ");
}

#[test]
fn nested_items_see_no_locals() {
    assert_snapshot!(dump("fn f() { let a = x(); fn g() -> T { a } static S: T = a; const N: usize = 1; g() }"), @r"
    body 0 fn in f
      b0:
        a.1 = x()
        ret = g()
        Goto
          -> b1 drops a.1
      b1:
        Exit

    body 1 fn in g
      b0:
        ret = a
        Goto
          -> b1
      b1:
        Exit

    body 2 initialiser in S
      b0:
        ret = a
        Goto
          -> b1
      b1:
        Exit
    ");
}

#[test]
fn methods_of_nested_impls_are_bodies() {
    assert_snapshot!(dump("fn f() { struct G(u8); impl Drop for G { fn drop(&mut self) { close(self.0) } } \
        let g = G(1); }"), @r"
    body 0 fn in f
      b0:
        g.1 = G(1)
        ret = ()
        Goto
          -> b1 drops g.1
      b1:
        Exit

    body 1 fn in drop
      b0:
        ret = close(self.1.0)
        Goto
          -> b1
      b1:
        Exit
    ");
}

#[test]
fn an_unbraced_body_is_the_result() {
    assert_snapshot!(flow("xs.map(|x| x.id).filter(|_| true);"), @r"
    body 0 fn in f
      b0:
        t2 = closure body 1 []
        t1 = map . (self:xs, t2)
        t3 = closure body 2 []
        t4 = filter . (self:t1, t3)
        end t4 t3 t2 t1
        ret = ()
        Goto
          -> b1
      b1:
        Exit

    body 1 closure in f
      b0:
        ret = x.1.id
        Goto
          -> b1
      b1:
        Exit

    body 2 closure in f
      b0:
        ret = true
        Goto
          -> b1
      b1:
        Exit
    ");
}

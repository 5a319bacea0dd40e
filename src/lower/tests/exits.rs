//! The four kinds of edges.

use super::{dump, flow};
use insta::assert_snapshot;

#[test]
fn question_mark() {
    assert_snapshot!(flow("let a = open()?; let b = read(&a)?; keep(a, b);"), @r"
    body 0 fn in f +error-exit
      b0:
        t2 = open()
        Try t2
          -> b2
          -> b1 error drops t2
      b1:
        Exit
      b2:
        a.1 = t2.?
        end t2
        t4 = read(&a.1)
        Try t4
          -> b3
          -> b1 error drops t4 a.1
      b3:
        b.3 = t4.?
        end t4
        t5 = keep(a.1, b.3)
        end t5
        ret = ()
        Goto
          -> b1 drops b.3 a.1
    ");
}

#[test]
fn early_return_and_return_err() {
    assert_snapshot!(dump("fn f() -> R { let a = open(); if b { return Ok(a); } if c { return Err(e()); } \
        Ok(a) }"), @r"
    body 0 fn in f +error-exit +early-exit
      b0:
        a.1 = open()
        Branch b
          -> b4
          -> b2
      b1:
        Exit
      b2:
        Goto
          -> b3
      b3:
        Branch c
          -> b8
          -> b6
      b4:
        ret = Ok(a.1)
        Goto
          -> b1 early drops a.1
      b6:
        Goto
          -> b7
      b7:
        ret = Ok(a.1)
        Goto
          -> b1 drops a.1
      b8:
        t2 = e()
        ret = Err(t2)
        Goto
          -> b1 error drops t2 a.1
    ");
}

#[test]
fn tail_err() {
    assert_snapshot!(dump("fn f() -> R { let a = open(); match a.go() { Ok(x) => Ok(x), Err(e) => \
        Err(e.into()) } }"), @r"
    body 0 fn in f +error-exit
      b0:
        a.1 = open()
        t2 = go . (self:a.1)
        Switch match:t2
          -> b3 if Ok(x.3)
          -> b4 if Err(e.4)
      b1:
        Exit
      b2:
        Goto
          -> b1 drops t2 a.1
      b3:
        x.3 = (t2 as Ok).0
        ret = Ok(x.3)
        end x.3
        Goto
          -> b2
      b4:
        e.4 = (t2 as Err).0
        t5 = into . (self:e.4)
        ret = Err(t5)
        Goto
          -> b1 error drops t5 e.4 t2 a.1
    ");
}

#[test]
fn err_that_is_changed_is_an_error_still() {
    assert_snapshot!(dump(r#"fn f() -> R { if a { return Err(e).context("c"); } Err(e).map_err(g) }"#), @r#"
    body 0 fn in f +error-exit
      b0:
        Branch a
          -> b4
          -> b2
      b1:
        Exit
      b2:
        Goto
          -> b3
      b3:
        t2 = Err(e)
        ret = map_err . (self:t2, g)
        Goto
          -> b1 error drops t2
      b4:
        t1 = Err(e)
        ret = context . (self:t1, "c")
        Goto
          -> b1 error drops t1
    "#);
}

#[test]
fn err_that_is_not_the_result_is_none() {
    assert_snapshot!(flow("let e = Err(1); log(Err(2));"), @r"
    body 0 fn in f
      b0:
        e.1 = Err(1)
        t2 = Err(2)
        t3 = log(t2)
        end t3 t2
        ret = ()
        Goto
          -> b1 drops e.1
      b1:
        Exit
    ");
}

#[test]
fn bail_and_ensure() {
    assert_snapshot!(dump(r#"fn f() -> R { let a = open(); ensure!(a.ok(), "no {a}"); if b { bail!("bad {}",
        b); } Ok(()) }"#), @r"
    body 0 fn in f +error-exit
      b0:
        a.1 = open()
        t2 = ok . (self:a.1)
        Branch t2
          -> b2 drops t2
          -> b3 drops t2
      b1:
        Exit
      b2:
        end t3
        Branch b
          -> b6
          -> b4
      b3:
        t3 = ensure!(&a.1)
        Goto
          -> b1 error drops t3 a.1
      b4:
        Goto
          -> b5
      b5:
        ret = Ok(())
        Goto
          -> b1 drops a.1
      b6:
        t4 = bail!(&b)
        Goto
          -> b1 error drops t4 a.1
    ");
}

#[test]
fn assert_and_panic_end_the_flow() {
    assert_snapshot!(flow(r#"let a = open(); assert!(a.ok(), "{a:?}"); if b { panic!("{b}") } todo!()"#), @r"
    body 0 fn in f
      b0:
        a.1 = open()
        t2 = ok . (self:a.1)
        Branch t2
          -> b2 drops t2
          -> b3 drops t2
      b2:
        end t3
        Branch b
          -> b6
          -> b4
      b3:
        t3 = assert!(&a.1)
        Diverge
      b4:
        Goto
          -> b5
      b5:
        t5 = todo!()
        Diverge
      b6:
        t4 = panic!()
        Diverge
    ");
}

#[test]
fn await_may_cancel() {
    assert_snapshot!(flow("let child = spawn(); sleep(1).await; child.wait().await;"), @r"
    body 0 fn in f +await
      b0:
        child.1 = spawn()
        t2 = sleep(1)
        Await t2
          -> b2
          -> b1 cancel drops t2 child.1
      b1:
        Exit
      b2:
        t3 = t2.await
        end t3 t2
        t4 = wait . (self:child.1)
        Await t4
          -> b3
          -> b1 cancel drops t4 child.1
      b3:
        t5 = t4.await
        end t5 t4
        ret = ()
        Goto
          -> b1 drops child.1
    ");
}

#[test]
fn closures_and_async_blocks_have_exits_of_their_own() {
    assert_snapshot!(flow("let c = || { g()?; Err(1) }; let a = async { h().await?; return 1; };"), @r"
    body 0 fn in f
      b0:
        c.1 = closure body 1 []
        a.2 = async body 2 []
        ret = ()
        Goto
          -> b1 drops a.2 c.1
      b1:
        Exit

    body 1 closure in f +error-exit
      b0:
        t1 = g()
        Try t1
          -> b2
          -> b1 error drops t1
      b1:
        Exit
      b2:
        t2 = t1.?
        end t2 t1
        ret = Err(1)
        Goto
          -> b1 error

    body 2 async block in f +await +error-exit +early-exit
      b0:
        t2 = h()
        Await t2
          -> b2
          -> b1 cancel drops t2
      b1:
        Exit
      b2:
        t1 = t2.await
        Try t1
          -> b3
          -> b1 error drops t2 t1
      b3:
        t3 = t1.?
        end t3 t2 t1
        ret = 1
        Goto
          -> b1 early
    ");
}

#[test]
fn header_flags_speak_of_what_is_reached() {
    assert_snapshot!(dump("fn f() -> R { return Err(1); }"), @r"
    body 0 fn in f +error-exit
      b0:
        ret = Err(1)
        Goto
          -> b1 error
      b1:
        Exit
    ");
}

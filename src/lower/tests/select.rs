//! `select!` in its dialects.

use super::flow;
use insta::assert_snapshot;

#[test]
fn tokio() {
    assert_snapshot!(
        flow("loop { tokio::select! { biased; Some(m) = rx.recv(), if open => { go(m); } _ = &mut stop => \
            break, else => return, } }"),
        @r"
        body 0 fn in f +loop +await +early-exit
          b0:
            Goto
              -> b3
          b1:
            Exit
          b2:
            Goto
              -> b1
          b3 in loop0 header(Loop):
            t1 = recv . (self:rx)
            t2 = &mut stop
            t4 = select!(t1, t2, none)
            Select
              -> b5 if Some(m.3)
              -> b6 if _
              -> b7
              -> b1 cancel drops t4 t2 t1
          b4 in loop0:
            end t4 t2 t1
            Goto
              -> b3
          b5 in loop0:
            m.3 = (t1.await as Some).0
            t5 = go(m.3)
            end t5
            end m.3
            Goto
              -> b4
          b6 in loop0:
            Goto
              -> b2 drops t4 t2 t1
          b7 in loop0:
            ret = ()
            Goto
              -> b1 early drops t4 t2 t1
        "
    );
}

#[test]
fn arms_without_commas_and_a_value() {
    assert_snapshot!(flow("let r = select! { x = a() => { let y = f(x); y } z = b() => z? };"), @r"
    body 0 fn in f +await +error-exit
      b0:
        t2 = a()
        t3 = b()
        t6 = select!(t2, t3)
        Select
          -> b3 if x.4
          -> b4 if z.5
          -> b1 cancel drops t6 t3 t2
      b1:
        Exit
      b2:
        end t6 t3 t2
        ret = ()
        Goto
          -> b1 drops r.1
      b3:
        x.4 = t2.await
        y.7 = f(x.4)
        r.1 = y.7
        end y.7
        end x.4
        Goto
          -> b2
      b4:
        z.5 = t3.await
        Try z.5
          -> b5
          -> b1 error drops z.5 t6 t3 t2 r.1
      b5:
        r.1 = z.5.?
        end z.5
        Goto
          -> b2
    ");
}

#[test]
fn futures() {
    assert_snapshot!(flow("futures::select! { x = s.next() => f(x), complete => break, default => {} }"), @r"
    body 0 fn in f +await
      b0:
        t1 = next . (self:s)
        t3 = select!(t1, none, none)
        Select
          -> b3 if x.2
          -> b4
          -> b5
          -> b1 cancel drops t3 t1
      b1:
        Exit
      b2:
        Goto
          -> b1 drops t3 t1
      b3:
        x.2 = t1.await
        ret = f(x.2)
        end x.2
        Goto
          -> b2
      b4:
        Goto
          -> b1 drops t3 t1
      b5:
        ret = ()
        Goto
          -> b2
    ");
}

#[test]
fn crossbeam() {
    assert_snapshot!(
        flow("crossbeam_channel::select! { recv(rx) -> m => f(m), send(tx, v) -> _ => {} default(wait) => g(), }"),
        @r"
        body 0 fn in f
          b0:
            t1 = recv(rx)
            t2 = send(tx, v)
            t3 = default(wait)
            t5 = select!(t1, t2, t3)
            Select
              -> b3 if m.4
              -> b4 if _
              -> b5
          b1:
            Exit
          b2:
            Goto
              -> b1 drops t5 t3 t2 t1
          b3:
            m.4 = t1.await
            ret = f(m.4)
            end m.4
            Goto
              -> b2
          b4:
            ret = ()
            Goto
              -> b2
          b5:
            ret = g()
            Goto
              -> b2
        "
    );
}

#[test]
fn an_unknown_dialect_is_opaque() {
    assert_snapshot!(flow("let rx = r(); select! { rx.next() ~> x { f(x) } }"), @r"
    body 0 fn in f +opaque-macro
      b0:
        rx.1 = r()
        ret = select!{capture:rx.1, self:rx.1, 'next, 'x, 'f, 'x}
        Goto
          -> b1 drops rx.1
      b1:
        Exit
    ");
}

//! Loops with their kind and what they iterate, `break` and `continue`.

use super::flow;
use insta::assert_snapshot;

#[test]
fn an_endless_loop_has_no_way_out() {
    assert_snapshot!(flow("loop { step(); } after();"), @r"
    body 0 fn in f +loop
      b0:
        Goto
          -> b3
      b3 in loop0 header(Loop):
        t1 = step()
        end t1
        Goto
          -> b3
    ");
}

#[test]
fn while_true_is_endless() {
    assert_snapshot!(flow("while true { step(); }"), @r"
    body 0 fn in f +loop
      b0:
        Goto
          -> b3
      b3 in loop0 header(Loop):
        t1 = step()
        end t1
        Goto
          -> b3
    ");
}

#[test]
fn break_with_a_value() {
    assert_snapshot!(flow("let x = loop { let y = a(); if y.ok() { break y; } };"), @r"
    body 0 fn in f +loop
      b0:
        Goto
          -> b3
      b1:
        Exit
      b2:
        ret = ()
        Goto
          -> b1 drops x.1
      b3 in loop0 header(Loop):
        y.2 = a()
        t3 = ok . (self:y.2)
        Branch t3
          -> b6 drops t3
          -> b4 drops t3
      b4 in loop0:
        Goto
          -> b5
      b5 in loop0:
        end y.2
        Goto
          -> b3
      b6 in loop0:
        x.1 = y.2
        Goto
          -> b2 drops y.2
    ");
}

#[test]
fn labels() {
    assert_snapshot!(flow("'a: loop { let x = m(); 'b: while x.more() { if p { break 'a; } if q { continue \
        'a; } break; } }"), @r"
    body 0 fn in f +loop
      b0:
        Goto
          -> b3
      b1:
        Exit
      b2:
        Goto
          -> b1
      b3 in loop0 header(Loop):
        x.1 = m()
        Goto
          -> b5
      b4 in loop0:
        end x.1
        Goto
          -> b3
      b5 in loop1 header(While):
        t2 = more . (self:x.1)
        Branch t2
          -> b6 drops t2
          -> b4 drops t2
      b6 in loop1:
        Branch p
          -> b9
          -> b7
      b7 in loop1:
        Goto
          -> b8
      b8 in loop1:
        Branch q
          -> b13
          -> b11
      b9 in loop1:
        Goto
          -> b2 drops x.1
      b11 in loop1:
        Goto
          -> b12
      b12 in loop1:
        Goto
          -> b4
      b13 in loop1:
        Goto
          -> b3 drops x.1
    ");
}

#[test]
fn labelled_blocks() {
    assert_snapshot!(flow("let x = 'a: { let y = b(); if c { break 'a y; } d() };"), @r"
    body 0 fn in f
      b0:
        y.2 = b()
        Branch c
          -> b5
          -> b3
      b1:
        Exit
      b2:
        ret = ()
        Goto
          -> b1 drops x.1
      b3:
        Goto
          -> b4
      b4:
        x.1 = d()
        end y.2
        Goto
          -> b2
      b5:
        x.1 = y.2
        Goto
          -> b2 drops y.2
    ");
}

#[test]
fn while_let() {
    assert_snapshot!(flow("while let Some(x) = rx.recv().await { handle(x); }"), @r"
    body 0 fn in f +loop +await
      b0:
        Goto
          -> b3
      b1:
        Exit
      b2:
        Goto
          -> b1
      b3 in loop0 header(WhileLet):
        t2 = recv . (self:rx)
        Await t2
          -> b5
          -> b1 cancel drops t2
      b4 in loop0:
        t4 = handle(x.3)
        end t4
        end x.3 t2 t1
        Goto
          -> b3
      b5 in loop0:
        t1 = t2.await
        Switch match:t1
          -> b6 if Some(x.3)
          -> b2 drops t2 t1
      b6 in loop0:
        x.3 = (t1 as Some).0
        Goto
          -> b4
    ");
}

#[test]
fn while_let_chain() {
    assert_snapshot!(flow("while let Some(x) = next() && x.good() { handle(x); }"), @r"
    body 0 fn in f +loop
      b0:
        Goto
          -> b3
      b1:
        Exit
      b2:
        Goto
          -> b1
      b3 in loop0 header(WhileLet):
        t1 = next()
        Switch match:t1
          -> b6 if Some(x.2)
          -> b2 drops t1
      b4 in loop0:
        t4 = handle(x.2)
        end t4
        end x.2 t1
        Goto
          -> b3
      b5 in loop0:
        t3 = good . (self:x.2)
        Branch t3
          -> b4 drops t3
          -> b2 drops t3 x.2 t1
      b6 in loop0:
        x.2 = (t1 as Some).0
        Goto
          -> b5
    ");
}

#[test]
fn for_over_a_borrowed_list() {
    assert_snapshot!(flow("for (key, value) in &map { if key.skip() { continue; } insert(key, value); }"), @r"
    body 0 fn in f +loop
      b0:
        Goto
          -> b3
      b1:
        Exit
      b2:
        Goto
          -> b1
      b3 in loop0 header(For):
        Next &map
          -> b4
          -> b2
      b4 in loop0:
        key.1 = map[_].0
        value.2 = map[_].1
        t3 = skip . (self:key.1)
        Branch t3
          -> b7 drops t3
          -> b5 drops t3
      b5 in loop0:
        Goto
          -> b6
      b6 in loop0:
        t4 = insert(key.1, value.2)
        end t4
        end value.2 key.1
        Goto
          -> b3
      b7 in loop0:
        Goto
          -> b3 drops value.2 key.1
    ");
}

#[test]
fn for_over_a_range() {
    assert_snapshot!(flow("for _ in 0..3 { let x = a(); }"), @r"
    body 0 fn in f +loop
      b0:
        t1 = range(0, 3)
        Goto
          -> b3
      b1:
        Exit
      b2:
        end t1
        Goto
          -> b1
      b3 in loop0 header(For):
        Next t1
          -> b4
          -> b2
      b4 in loop0:
        x.2 = a()
        end x.2
        Goto
          -> b3
    ");
}

#[test]
fn loops_within_loops() {
    assert_snapshot!(flow("for x in xs.iter() { loop { if x { break; } } }"), @r"
    body 0 fn in f +loop
      b0:
        t1 = iter . (self:xs)
        Goto
          -> b3
      b1:
        Exit
      b2:
        end t1
        Goto
          -> b1
      b3 in loop0 header(For):
        Next t1
          -> b4
          -> b2
      b4 in loop0:
        x.2 = t1[_]
        Goto
          -> b6
      b5 in loop0:
        end x.2
        Goto
          -> b3
      b6 in loop1 header(Loop):
        Branch x.2
          -> b9
          -> b7
      b7 in loop1:
        Goto
          -> b8
      b8 in loop1:
        Goto
          -> b6
      b9 in loop1:
        Goto
          -> b5
    ");
}

#[test]
fn jumps_out_of_nowhere_leave_the_body() {
    // What a macro may have left us with.
    assert_snapshot!(flow("break; continue 'x;"), @r"
    body 0 fn in f
      b0:
        Goto
          -> b1
      b1:
        Exit
    ");
}

//! Formatting, logging and asserting macros: their arguments are borrowed.

use super::flow;
use insta::assert_snapshot;

#[test]
fn names_in_the_format_string() {
    assert_snapshot!(flow(r#"let (a, b, c) = t(); println!("{a} {b:?} {{c}} {0} {} {c:>10}", a.x, b.y());"#), @r"
    body 0 fn in f
      b0:
        t1 = t()
        a.2 = t1.0
        b.3 = t1.1
        c.4 = t1.2
        end t1
        t5 = y . (self:b.3)
        t6 = println!(&a.2, &b.3, &c.4, &a.2.x, &t5)
        end t6 t5
        ret = ()
        Goto
          -> b1 drops c.4 b.3 a.2
      b1:
        Exit
    ");
}

#[test]
fn named_arguments_hide_variables() {
    assert_snapshot!(flow(r#"let (a, b) = t(); let s = format!("{a} {x}", a = b, x = b.len());"#), @r#"
    body 0 fn in f
      b0:
        t1 = t()
        a.2 = t1.0
        b.3 = t1.1
        end t1
        t5 = len . (self:b.3)
        s.4 = format!(&b.3, &t5, "{a} {x}")
        end t5
        ret = ()
        Goto
          -> b1 drops s.4 b.3 a.2
      b1:
        Exit
    "#);
}

#[test]
fn width_and_precision() {
    assert_snapshot!(flow(r#"let (w, p, v) = t(); print!("{v:>w$.p$} {:1$}", v, 3);"#), @r"
    body 0 fn in f
      b0:
        t1 = t()
        w.2 = t1.0
        p.3 = t1.1
        v.4 = t1.2
        end t1
        t5 = print!(&v.4, &w.2, &p.3, &v.4, 3)
        end t5
        ret = ()
        Goto
          -> b1 drops v.4 p.3 w.2
      b1:
        Exit
    ");
}

#[test]
fn write_gives_a_result() {
    assert_snapshot!(flow(r#"let (out, x) = t(); write!(out, "{x}")?; writeln!(out)?;"#), @r"
    body 0 fn in f +error-exit
      b0:
        t1 = t()
        out.2 = t1.0
        x.3 = t1.1
        end t1
        t4 = write!(&out.2, &x.3)
        Try t4
          -> b2
          -> b1 error drops t4 x.3 out.2
      b1:
        Exit
      b2:
        t5 = t4.?
        end t5 t4
        t6 = writeln!(&out.2)
        Try t6
          -> b3
          -> b1 error drops t6 x.3 out.2
      b3:
        t7 = t6.?
        end t7 t6
        ret = ()
        Goto
          -> b1 drops x.3 out.2
    ");
}

#[test]
fn tracing_fields() {
    assert_snapshot!(
        flow(r#"let (x, y, z) = t(); info!(target: "app", a.b = x, ?y, c = %z.id(), %x.k, d = ?y, "text {z}");"#),
        @r"
        body 0 fn in f
          b0:
            t1 = t()
            x.2 = t1.0
            y.3 = t1.1
            z.4 = t1.2
            end t1
            t5 = id . (self:z.4)
            t6 = info!(&x.2, &y.3, &t5, &x.2.k, &y.3, &z.4)
            end t6 t5
            ret = ()
            Goto
              -> b1 drops z.4 y.3 x.2
          b1:
            Exit
        "
    );
}

#[test]
fn log_key_values() {
    assert_snapshot!(flow(r#"let (x, y) = t(); log::warn!(id = x, err:? = y, n:% = x.n; "text {y}");"#), @r"
    body 0 fn in f
      b0:
        t1 = t()
        x.2 = t1.0
        y.3 = t1.1
        end t1
        t4 = log::warn!(&x.2, &y.3, &x.2.n, &y.3)
        end t4
        ret = ()
        Goto
          -> b1 drops y.3 x.2
      b1:
        Exit
    ");
}

#[test]
fn spans_have_a_level_and_a_name() {
    assert_snapshot!(flow(r#"let x = t(); let s = tracing::span!(Level::INFO, "name", id = %x, parent: &x);"#), @r"
    body 0 fn in f
      b0:
        x.1 = t()
        s.2 = tracing::span!(&Level::INFO, &x.1, &x.1)
        ret = ()
        Goto
          -> b1 drops s.2 x.1
      b1:
        Exit
    ");
}

#[test]
fn fields_that_are_no_expression_keep_their_locals() {
    assert_snapshot!(flow(r#"let (x, y) = t(); info!(x => y, go(x)); "#), @r"
    body 0 fn in f
      b0:
        t1 = t()
        x.2 = t1.0
        y.3 = t1.1
        end t1
        t4 = go(x.2)
        t5 = info!(&x.2, &y.3, &t4)
        end t5 t4
        ret = ()
        Goto
          -> b1 drops y.3 x.2
      b1:
        Exit
    ");
}

#[test]
fn comparisons() {
    assert_snapshot!(flow(r#"let (x, y) = t(); assert_eq!(x.len(), 2, "{y}"); debug_assert_ne!(x, y);"#), @r"
    body 0 fn in f
      b0:
        t1 = t()
        x.2 = t1.0
        y.3 = t1.1
        end t1
        t4 = len . (self:x.2)
        t5 = assert_eq!(&t4, 2, &y.3)
        end t5 t4
        t6 = debug_assert_ne!(&x.2, &y.3)
        end t6
        ret = ()
        Goto
          -> b1 drops y.3 x.2
      b1:
        Exit
    ");
}

#[test]
fn errors_made_from_text() {
    assert_snapshot!(flow(r#"let x = t(); let e = anyhow!("bad {x}"); let f = eyre!(x);"#), @r"
    body 0 fn in f
      b0:
        x.1 = t()
        e.2 = anyhow!(&x.1)
        f.3 = eyre!(&x.1)
        ret = ()
        Goto
          -> b1 drops f.3 e.2 x.1
      b1:
        Exit
    ");
}

//! Macro calls with a grammar of their own, and unknown ones.

use super::{dump, flow};
use insta::assert_snapshot;

#[test]
fn join() {
    assert_snapshot!(flow("let (a, b) = tokio::join!(f(), g(x));"), @r"
    body 0 fn in f +await
      b0:
        t2 = f()
        t3 = g(x)
        t4 = tokio::join!(t2, t3)
        Await t4
          -> b2
          -> b1 cancel drops t4 t3 t2
      b1:
        Exit
      b2:
        t1 = t4.await
        a.5 = t1.0
        b.6 = t1.1
        end t4 t3 t2 t1
        ret = ()
        Goto
          -> b1 drops b.6 a.5
    ");
}

#[test]
fn try_join() {
    assert_snapshot!(flow("let r = try_join!(biased; f(), g())?;"), @r"
    body 0 fn in f +await +error-exit
      b0:
        t3 = f()
        t4 = g()
        t5 = try_join!(t3, t4)
        Await t5
          -> b2
          -> b1 cancel drops t5 t4 t3
      b1:
        Exit
      b2:
        t2 = t5.await
        Try t2
          -> b3
          -> b1 error drops t5 t4 t3 t2
      b3:
        r.1 = t2.?
        end t5 t4 t3 t2
        ret = ()
        Goto
          -> b1 drops r.1
    ");
}

#[test]
fn vec_is_an_array() {
    assert_snapshot!(flow("let a = vec![x, y()]; let b = vec![0; n]; let c = vec![];"), @r"
    body 0 fn in f
      b0:
        t2 = y()
        a.1 = [x, t2]
        end t2
        b.3 = [0, n]
        c.4 = []
        ret = ()
        Goto
          -> b1 drops c.4 b.3 a.1
      b1:
        Exit
    ");
}

#[test]
fn dbg_hands_its_value_through() {
    assert_snapshot!(flow("let a = dbg!(x()); let b = ::core::env!(\"A\");"), @r"
    body 0 fn in f
      b0:
        a.1 = x()
        b.2 = ()
        ret = ()
        Goto
          -> b1 drops b.2 a.1
      b1:
        Exit
    ");
}

#[test]
fn pin() {
    assert_snapshot!(flow("let a = pin!(f()); let b = g(); pin!(b); tokio::pin! { let c = h(); let d = i(); \
        } (&mut c).await;"), @r"
    body 0 fn in f +await
      b0:
        a.1 = f()
        b.2 = g()
        c.3 = h()
        d.4 = i()
        t5 = &mut c.3
        Await t5
          -> b2
          -> b1 cancel drops t5 d.4 c.3 b.2 a.1
      b1:
        Exit
      b2:
        t6 = t5.await
        end t6 t5
        ret = ()
        Goto
          -> b1 drops d.4 c.3 b.2 a.1
    ");
}

#[test]
fn unknown_macros_with_expressions_may_move() {
    assert_snapshot!(flow("let (a, b) = t(); let r = my::call!(a, &b, c.d(), || a); other![]; third! { a }"), @r"
    body 0 fn in f
      b0:
        t1 = t()
        a.2 = t1.0
        b.3 = t1.1
        end t1
        t5 = d . (self:c)
        t6 = closure body 1 [capture:a.2]
        r.4 = my::call!(a.2, &b.3, t5, t6)
        end t6 t5
        t7 = other!()
        end t7
        ret = third!(a.2)
        Goto
          -> b1 drops r.4 b.3 a.2
      b1:
        Exit

    body 1 closure in f
      b0:
        ret = a.1
        Goto
          -> b1
      b1:
        Exit
    ");
}

#[test]
fn opaque_macros_keep_names_and_receivers() {
    assert_snapshot!(
        flow("let (a, b) = t(); rule!(a => self.map.lock().unwrap().remove(&b.key), [CACHE.clear(); \
            a.0.iter::<T>()] .. b);"),
        @r"
        body 0 fn in f +opaque-macro
          b0:
            t1 = t()
            a.2 = t1.0
            b.3 = t1.1
            end t1
            t4 = rule!{capture:a.2, 'self, 'map, self:self.map, 'lock, 'unwrap, 'remove, capture:b.3, 'key, 'CACHE, self:CACHE, 'clear, capture:a.2, self:a.2.0, 'iter, 'T, capture:b.3}
            end t4
            ret = ()
            Goto
              -> b1 drops b.3 a.2
          b1:
            Exit
        "
    );
}

#[test]
fn statics_in_a_body() {
    assert_snapshot!(
        dump("fn f() { lazy_static! { static ref A: M = M::new(); } thread_local! { static B: N = N; } g(&A) }"),
        @r"
        body 0 fn in f
          b0:
            ret = g(&A)
            Goto
              -> b1
          b1:
            Exit

        body 1 initialiser in A
          b0:
            ret = M::new()
            Goto
              -> b1
          b1:
            Exit

        body 2 initialiser in B
          b0:
            ret = N
            Goto
              -> b1
          b1:
            Exit
        "
    );
}

#[test]
fn what_a_closure_takes_along() {
    assert_snapshot!(flow("f(clone!(#[weak] a, #[strong(rename_to = this)] self.x, #[upgrade_or] 1, move |_| a.g(this)));"), @r"
    body 0 fn in f
      b0:
        a.2 = downgrade . (self:a)
        this.3 = clone . (self:self.x)
        t1 = closure body 1 [capture:a.2, capture:this.3]
        t4 = f(t1)
        end t4 this.3 a.2 t1
        ret = ()
        Goto
          -> b1
      b1:
        Exit

    body 1 closure in f +move
      b0:
        t3 = upgrade . (self:a.2)
        a.4 = t3.?
        ret = g . (self:a.4, this.5)
        Goto
          -> b1 drops a.4 t3
      b1:
        Exit
    ");
    assert_snapshot!(flow("f(clone!(@strong a, @weak self as this => @default-return 1, move || this.g(a)));"), @r"
    body 0 fn in f
      b0:
        a.2 = clone . (self:a)
        this.3 = downgrade . (self:self)
        t1 = closure body 1 [capture:this.3, capture:a.2]
        t4 = f(t1)
        end t4 this.3 a.2 t1
        ret = ()
        Goto
          -> b1
      b1:
        Exit

    body 1 closure in f +move
      b0:
        t2 = upgrade . (self:this.1)
        this.3 = t2.?
        ret = g . (self:this.3, a.4)
        Goto
          -> b1 drops this.3 t2
      b1:
        Exit
    ");
    assert_snapshot!(flow("f(enclose!((a, b) move || a.g(b)));"), @r"
    body 0 fn in f
      b0:
        a.2 = clone . (self:a)
        b.3 = clone . (self:b)
        t1 = closure body 1 [capture:a.2, capture:b.3]
        t4 = f(t1)
        end t4 b.3 a.2 t1
        ret = ()
        Goto
          -> b1
      b1:
        Exit

    body 1 closure in f +move
      b0:
        ret = g . (self:a.1, b.2)
        Goto
          -> b1
      b1:
        Exit
    ");
    assert_snapshot!(flow("let b = clone!(a);"), @r"
    body 0 fn in f
      b0:
        b.1 = clone!(a)
        ret = ()
        Goto
          -> b1 drops b.1
      b1:
        Exit
    ");
}

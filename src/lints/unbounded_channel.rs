#![doc = include_str!("../../lints/unbounded_channel.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::Model;
use crate::model::channels::{Channel, Feed, Use};
use crate::model::heat::Runs;
use crate::source::Span;

const NAME: &str = "unbounded_channel";

/// Reports channels without a limit: those that nobody reads, and those that are filled faster than they are read.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    for channel in model.channels() {
        let made = &channel.made;
        let runs = model.analysis.heats[made.function as usize];
        if runs == Runs::Test && !model.tests || channel.sized {
            continue;
        }
        let found = match unread(model, &channel) {
            Some(kept) => Found::Unread(kept),
            // Few messages, and no more than there are.
            None if is_finite(&channel) => continue,
            None => match (model.feed_of(&channel), slow(&channel)) {
                (Some(feed), Some(drain)) => Found::Flooded(feed, drain),
                _ => Found::Unlimited,
            },
        };
        out.push(report(model, &channel, found));
    }
}

enum Found {
    /// Nobody reads; where the receiving end is kept.
    Unread(Span),
    /// Filled by a loop that a peer drives, read by one that awaits for each item.
    Flooded(Feed, (Span, Span)),
    /// Nothing but that it has no limit.
    Unlimited,
}

/// Where the receiving end is kept, if nobody reads from it although somebody sends.
fn unread(model: &Model, channel: &Channel) -> Option<Span> {
    let again = |u: &&Use| {
        let in_loop = u.in_loop.get().is_some();
        matches!(model.runs_at(u.function, u.body, in_loop), Runs::PerCall | Runs::PerThread | Runs::Repeated)
    };
    if !channel.reads.is_empty() || channel.escapes || !channel.sends.iter().any(|u| again(&u)) {
        return None;
    }
    let unseen = |&&(owner, name): &&(_, _)| model.is_public_field(owner, name) || !model.is_untouched(name);
    match channel.fields.first() {
        // `let rx = self.rx.take()?;`
        Some(_) if channel.fields.iter().any(|f| unseen(&f)) => None,
        Some(&(owner, name)) => model.field_span(owner, name),
        None => channel.idle,
    }
}

/// Whether all that is ever sent is sent where the channel is made, and not in a loop: a result, one for each worker.
fn is_finite(channel: &Channel) -> bool {
    let once = |u: &Use| u.function == channel.made.function && u.in_loop.is_none();
    !channel.sends.is_empty() && channel.sends.iter().all(once)
}

/// A loop that reads, with what it awaits for each item.
fn slow(channel: &Channel) -> Option<(Span, Span)> {
    channel.reads.iter().find_map(|read| Some((read.span, read.awaits?)))
}

fn report(model: &Model, channel: &Channel, found: Found) -> Diagnostic {
    let (confidence, message, looked_for) = match found {
        Found::Unread(_) => (
            Confidence::High,
            "what is sent through this channel stays in it: its receiver is kept and never read",
            "looked for anything that receives from it or closes it; found none",
        ),
        Found::Flooded(..) => (
            Confidence::Medium,
            "this channel has no limit, is filled as fast as a peer sends, and read no faster than its items are dealt with",
            "looked for a limit, a check of its length, a permit or a reply that the sending loop waits for; found none",
        ),
        Found::Unlimited => (
            Confidence::Low,
            "this channel has no limit: it grows whenever more is sent than received",
            "looked for a limit or a check of its length; found none",
        ),
    };
    let help = match found {
        Found::Unread(_) => "receive from it, drop the receiver so that sending fails, or do not send at all",
        _ => {
            "give it a capacity and let the sender wait or drop, or use a `watch` channel if only the latest value counts"
        }
    };
    let made = &channel.made;
    let item = model.item_path(model.analysis.digests[made.function as usize].owner);
    let diagnostic =
        Diagnostic::new(NAME, confidence, made.span, item, message.to_owned(), looked_for.to_owned(), help.to_owned())
            .primary("made without a limit");
    match found {
        Found::Unread(kept) => {
            let diagnostic = diagnostic.label(kept, "kept here, and never read");
            match channel.sends.first() {
                Some(send) => diagnostic.label(send.span, "sent here"),
                None => diagnostic,
            }
        }
        Found::Flooded(feed, (read, awaited)) => diagnostic
            .label(feed.in_loop, "this loop reads from outside")
            .label(feed.send, "and sends for each item")
            .label(read, "received here")
            .label(awaited, "and awaited before the next is received")
            .note("assumed that the peer can send faster than that".to_owned()),
        Found::Unlimited => diagnostic,
    }
}

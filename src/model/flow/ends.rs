//! What never comes back: calls that end the process, functions that never give up what they got.

use super::super::exits::is_service_loop;
use super::super::{Callee, DefId, TyData};
use super::Walk;
use crate::facts::body::*;
use crate::facts::item_flags;

impl Walk<'_> {
    /// `spawn()?; process::exit(0)`: whatever follows the block at hand ends the process, and soon: no loop that serves
    /// comes before.
    pub(super) fn process_ends(&self) -> bool {
        let body = self.body();
        let serves = |id: BlockId| {
            (0..body.loops.len() as u32)
                .map(LoopId)
                .any(|l| body.loops[l.index()].header == id && is_service_loop(self.tracer, self.index, l))
        };
        let mut seen = vec![false; body.blocks.len()];
        let mut todo = vec![self.nodes[self.node].block];
        let mut ended = false;
        while let Some(id) = todo.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            let block = &body.blocks[id.index()];
            if block.statements.ids().any(|s| self.ends_process(StatementId(s))) {
                ended = true;
                continue;
            }
            // `loop { spawn()?; if asked() { process::exit(0) } }`
            if block.end == End::Exit || body.edges_of(id).iter().any(|e| serves(e.to)) {
                return false;
            }
            todo.extend(body.edges_of(id).iter().map(|e| e.to));
        }
        ended
    }

    /// A call after which nothing comes: the process ends, or the function that is called stays in its loop.
    pub(super) fn never_returns(&self, id: StatementId) -> bool {
        let stays = |def| self.model().item(def).flags & item_flags::ASYNC == 0 && self.model().never_returns(def);
        self.ends_process(id) || matches!(self.tracer.body(self.index).types.callee(id), Callee::Def(def) if stays(def))
    }

    fn ends_process(&self, id: StatementId) -> bool {
        match self.tracer.body(self.index).types.callee(id) {
            Callee::External(_) | Callee::Distinctive(_) => self.tracer.row(self.index, id).is_some_and(|r| r.never),
            Callee::Def(def) => matches!(self.model().ty(self.model().item_ty(def)), TyData::Never),
            _ => false,
        }
    }

    /// `fn finish(child: Child) { todo!() }`: no path leads to the end of the function, where it would drop what it got.
    pub(super) fn never_ends(&self, def: DefId) -> bool {
        let Some(at) = self.model().body_of(def) else { return false };
        let body = self.model().body(at);
        let mut seen = vec![false; body.blocks.len()];
        let mut todo = vec![BlockId(0)];
        while let Some(id) = todo.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            if body.blocks[id.index()].end == End::Exit {
                return false;
            }
            todo.extend(body.edges_of(id).iter().map(|e| e.to));
        }
        true
    }
}

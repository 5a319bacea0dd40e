//! Patterns: what must hold on an edge, and which names it binds to which parts.

use super::Lowerer;
use crate::facts::NameId;
use crate::facts::body::*;
use crate::facts::types::{PathId, TypeId};
use crate::source::TextRange;
use syn::Pat;

/// A lowered pattern with the bindings it makes.
pub struct Bound {
    pub pattern: PatternId,
    pub bindings: Vec<(LocalId, PlaceId, Position)>,
}

impl Lowerer {
    /// Lowers `pat` matched against `place`; the names are in scope from here on, their values are assigned by
    /// [`Lowerer::assign_bindings`] where the pattern is known to have matched.
    pub(super) fn bind(&mut self, pat: &Pat, place: PlaceId) -> Bound {
        let mut bindings = Vec::new();
        let pattern = self.pattern(pat, place, &mut bindings);
        Bound { pattern, bindings }
    }

    pub(super) fn assign_bindings(&mut self, bound: &Bound) {
        for &(local, place, position) in &bound.bindings {
            let state = self.top();
            let dest = state.local_place(local);
            state.push(Op::Assign, dest, 0, &[Operand::place(position, place)], TextRange::default());
        }
    }

    fn push_pattern(&mut self, kind: PatternKind, data: u32, args: &[PatternId]) -> PatternId {
        let body = &mut self.top().body;
        let args = super::paths::push_run(&mut body.pattern_args, args);
        body.patterns.push(Pattern { kind, data, args });
        PatternId(body.patterns.len() as u32 - 1)
    }

    fn pattern(&mut self, pat: &Pat, place: PlaceId, out: &mut Vec<(LocalId, PlaceId, Position)>) -> PatternId {
        match pat {
            Pat::Ident(pat) => self.ident_pattern(pat, place, out),
            Pat::Paren(pat) => self.pattern(&pat.pat, place, out),
            Pat::Type(pat) => self.pattern(&pat.pat, place, out),
            Pat::Guard(pat) => self.pattern(&pat.pat, place, out),
            Pat::TupleStruct(pat) => {
                let path = self.qualified_path(&pat.path, pat.qself.as_ref());
                let inside = self.top().project(place, Projection::Variant(path));
                let args = self.field_patterns(pat.elems.iter(), inside, out);
                self.push_pattern(PatternKind::TupleVariant, path.0, &args)
            }
            Pat::Struct(pat) => {
                let path = self.qualified_path(&pat.path, pat.qself.as_ref());
                let inside = self.top().project(place, Projection::Variant(path));
                let mut args = Vec::new();
                for field in &pat.fields {
                    let name = self.member(&field.member);
                    self.top().fields.push(name);
                    let part = self.top().project(inside, Projection::Field(name));
                    args.push(self.pattern(&field.pat, part, out));
                }
                self.push_pattern(PatternKind::StructVariant, path.0, &args)
            }
            Pat::Path(pat) => {
                let path = self.qualified_path(&pat.path, pat.qself.as_ref());
                self.push_pattern(PatternKind::Path, path.0, &[])
            }
            Pat::Tuple(pat) => {
                let args = self.field_patterns(pat.elems.iter(), place, out);
                self.push_pattern(PatternKind::Tuple, 0, &args)
            }
            Pat::Slice(pat) => {
                let part = self.top().project(place, Projection::Element);
                let args: Vec<_> = pat.elems.iter().map(|p| self.pattern(p, part, out)).collect();
                self.push_pattern(PatternKind::Slice, 0, &args)
            }
            Pat::Reference(pat) => {
                let part = self.top().project(place, Projection::Deref);
                let inner = self.pattern(&pat.pat, part, out);
                self.push_pattern(PatternKind::Ref, 0, &[inner])
            }
            Pat::Or(pat) => self.or_pattern(pat, place, out),
            Pat::Lit(pat) => {
                let literal = match self.literal(&pat.lit).kind() {
                    OperandKind::Literal(id) => id.0,
                    _ => LiteralId::NONE.0,
                };
                self.push_pattern(PatternKind::Literal, literal, &[])
            }
            Pat::Range(_) | Pat::Const(_) => self.push_pattern(PatternKind::Literal, LiteralId::NONE.0, &[]),
            _ => self.push_pattern(PatternKind::Wild, 0, &[]),
        }
    }

    /// The alternatives bind the same names: the locals of the first one stand for all, and its places too.
    fn or_pattern(
        &mut self,
        pat: &syn::PatOr,
        place: PlaceId,
        out: &mut Vec<(LocalId, PlaceId, Position)>,
    ) -> PatternId {
        let first_name = self.top().env.len();
        let mut args = Vec::with_capacity(pat.cases.len());
        let mut cases = pat.cases.iter();
        args.extend(cases.next().map(|case| self.pattern(case, place, out)));
        let names = self.top().env.names_from(first_name);
        let (kept_names, kept_bindings) = (self.top().env.len(), out.len());
        for case in cases {
            let outer = std::mem::replace(&mut self.top().alternatives, names.clone());
            args.push(self.pattern(case, place, out));
            let state = self.top();
            state.alternatives = outer;
            state.env.truncate(kept_names);
            out.truncate(kept_bindings);
        }
        self.push_pattern(PatternKind::Or, 0, &args)
    }

    /// Patterns of `0`, `1`, …; after a `..` the fields are not numbered any more, and their places are unknown.
    fn field_patterns<'a>(
        &mut self,
        pats: impl Iterator<Item = &'a Pat>,
        place: PlaceId,
        out: &mut Vec<(LocalId, PlaceId, Position)>,
    ) -> Vec<PatternId> {
        let (mut args, mut rest) = (Vec::new(), false);
        for (index, pat) in pats.enumerate() {
            rest |= matches!(pat, Pat::Rest(_));
            let step = if rest { Projection::Element } else { Projection::Field(self.tuple_field(index)) };
            let part = self.top().project(place, step);
            args.push(self.pattern(pat, part, out));
        }
        args
    }

    fn ident_pattern(
        &mut self,
        pat: &syn::PatIdent,
        place: PlaceId,
        out: &mut Vec<(LocalId, PlaceId, Position)>,
    ) -> PatternId {
        let name = self.ident(&pat.ident);
        if pat.subpat.is_none() && pat.by_ref.is_none() && pat.mutability.is_none() && self.is_constant(name) {
            let path: PathId = self.single_segment(name);
            return self.push_pattern(PatternKind::Path, path.0, &[]);
        }
        let span = self.range(pat.ident.span());
        let position = match (&pat.by_ref, &pat.mutability) {
            (Some(_), Some(_)) => Position::RefMut,
            (Some(_), None) => Position::Ref,
            _ => Position::Bare,
        };
        let state = self.top();
        let known = state.alternatives.iter().find(|(known, _)| *known == name).map(|(_, local)| *local);
        let local = known.unwrap_or_else(|| state.new_local(LocalKind::Binding, name, TypeId::NONE, span));
        state.body.locals[local.index()].by_ref = pat.by_ref.is_some();
        state.env.push(name, local);
        out.push((local, place, position));
        let sub: Vec<_> = pat.subpat.iter().map(|(_, sub)| self.pattern(sub, place, out)).collect();
        self.push_pattern(PatternKind::Binding, local.0, &sub)
    }

    /// Whether a bare name in a pattern is a constant or a unit variant rather than a binding: by the convention that
    /// rustc's `non_snake_case` lint enforces.
    fn is_constant(&self, name: NameId) -> bool {
        self.names.names.get(name).starts_with(char::is_uppercase)
    }

    /// Makes the locals of all parameters, then takes apart those that are patterns.
    pub(super) fn parameters(&mut self, params: &[(&Pat, TypeId)]) {
        let mut patterns = Vec::new();
        for &(pat, ty) in params {
            let (name, span) = match pat {
                Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => {
                    (self.ident(&pat.ident), self.range(pat.ident.span()))
                }
                _ => (NameId::NONE, TextRange::default()),
            };
            let state = self.top();
            let local = state.new_local(LocalKind::Param, name, ty, span);
            state.body.params += 1;
            match name.get() {
                Some(name) => state.env.push(name, local),
                None => patterns.push((pat, state.local_place(local))),
            }
        }
        for (pat, place) in patterns {
            let bound = self.bind(pat, place);
            self.assign_bindings(&bound);
        }
    }
}

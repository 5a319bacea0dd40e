//! Types of places and operands within a function, and what uses tell of the locals behind them.

use super::infer::{Inference, Part};
use super::paths::{Namespace, Res};
use super::symbols::{Symbol, known};
use super::terms::Subst;
use super::types::{Ty, TyData};
use crate::apis::split_last;
use crate::facts::ItemKind;
use crate::facts::body::*;
use crate::facts::types::PathId;

impl Inference<'_> {
    pub fn args(&self, part: usize, statement: &Statement) -> Vec<Operand> {
        self.parts[part].body.args(statement).to_vec()
    }

    /// The type of an operand's value.
    pub fn operand_ty(&self, part: usize, operand: Operand) -> Ty {
        match operand.kind() {
            OperandKind::Place(Position::Ref, place) => self.model.ref_to(false, self.place_ty(part, place)),
            OperandKind::Place(Position::RefMut, place) => self.model.ref_to(true, self.place_ty(part, place)),
            OperandKind::Place(_, place) => self.place_ty(part, place),
            OperandKind::Literal(id) => match self.parts[part].body.literals[id.index()].kind {
                LiteralKind::Text => self.model.ref_to(false, Ty::STR),
                LiteralKind::Char => self.model.intern_ty(TyData::Prim(known::CHAR)),
                LiteralKind::Bool => Ty::BOOL,
                LiteralKind::Number | LiteralKind::Unit => Ty::UNKNOWN,
            },
            OperandKind::Name(_) | OperandKind::None => Ty::UNKNOWN,
        }
    }

    /// `dest = operand`. What a pattern takes out of a reference is a reference, unless it is `Copy`.
    pub fn assigned(&mut self, part: usize, dest: PlaceId, operand: Operand) -> Ty {
        let Some((position, place)) = operand.as_place() else {
            return self.operand_ty(part, operand);
        };
        let (ty, through) = self.project(part, place);
        match (position, through) {
            (Position::Ref, _) => self.model.ref_to(false, ty),
            (Position::RefMut, _) => self.model.ref_to(true, ty),
            (_, Some(mutable)) if !self.model.is_copy(ty) => self.model.ref_to(mutable, ty),
            _ => {
                let expected = self.dest_ty(part, dest);
                self.learn(part, operand, expected);
                ty
            }
        }
    }

    pub fn dest_ty(&self, part: usize, dest: PlaceId) -> Ty {
        dest.get().map_or(Ty::UNKNOWN, |dest| self.place_ty(part, dest))
    }

    /// The type of a place.
    pub fn place_ty(&self, part: usize, place: PlaceId) -> Ty {
        self.project(part, place).0
    }

    /// The type of a place, and whether a reference was passed below a pattern or field, and if so which kind.
    fn project(&self, part: usize, place: PlaceId) -> (Ty, Option<bool>) {
        let model = self.model;
        let body = &self.parts[part].body;
        let Place { base, projections } = body.places[place.index()];
        let mut ty = match base {
            Base::Local(local) => self.parts[part].locals[local.index()],
            Base::Path(path) => self.path_value(part, path),
        };
        let steps = projections.of(&body.projections);
        let (mut through, mut variant) = (None, None);
        for (index, &step) in steps.iter().enumerate() {
            match step {
                Projection::Field(name) => {
                    through = self.passed(ty, through);
                    let name = model.name(self.parts[part].scope.file, name);
                    ty = match variant.take() {
                        Some(variant) => model.variant_field_ty(ty, variant, name),
                        None => model.field_ty(ty, name),
                    };
                }
                Projection::Deref => {
                    ty = model.pointee(ty);
                    through = None;
                }
                Projection::Variant(path) => {
                    let scope = &self.parts[part].scope;
                    variant =
                        Some(model.resolve(scope, &body.types, path, Namespace::Value)).filter(|r| *r != Res::Unknown);
                    variant = variant.or_else(|| Some(model.resolve(scope, &body.types, path, Namespace::Type)));
                }
                Projection::Success => ty = model.success(ty),
                Projection::Output => ty = model.awaited(ty),
                Projection::Element => {
                    let iterated = self.is_iterated(part, base, &steps[..index]);
                    ty = match iterated {
                        Some(position) => model.iterated(self.positioned(ty, position)),
                        None => {
                            through = self.passed(ty, through);
                            model.element(ty)
                        }
                    };
                }
            }
        }
        (ty, through)
    }

    fn passed(&self, ty: Ty, before: Option<bool>) -> Option<bool> {
        match *self.model.ty(ty) {
            TyData::Ref { mutable, .. } => Some(before.unwrap_or(true) && mutable),
            _ => before,
        }
    }

    fn positioned(&self, ty: Ty, position: Position) -> Ty {
        match position {
            Position::Ref => self.model.ref_to(false, ty),
            Position::RefMut => self.model.ref_to(true, ty),
            _ => ty,
        }
    }

    /// Whether the place made of `base` and `steps` is what a `for` iterates, and how.
    fn is_iterated(&self, part: usize, base: Base, steps: &[Projection]) -> Option<Position> {
        let body = &self.parts[part].body;
        body.loops.iter().filter_map(|l| l.iterates.as_place()).find_map(|(position, place)| {
            let same = body.places[place.index()].base == base && body.projections_of(place) == steps;
            same.then_some(position)
        })
    }

    fn path_value(&self, part: usize, path: PathId) -> Ty {
        let Part { scope, body, .. } = &self.parts[part];
        let model = self.model;
        match model.resolve(scope, &body.types, path, Namespace::Value) {
            Res::Def(def) => match model.item(def).kind {
                ItemKind::Static | ItemKind::Const => model.value_ty(def),
                ItemKind::Fn => model.intern_ty(TyData::FnDef(def)),
                ItemKind::Struct if model.item(def).fields.len > 0 => model.intern_ty(TyData::FnDef(def)),
                ItemKind::Struct => model.adt(def, &[]),
                _ => Ty::UNKNOWN,
            },
            Res::Variant(def, variant) if model.variant_fields(def, variant).is_empty() => {
                self.applied(def, &Subst::new())
            }
            Res::Variant(def, _) => model.intern_ty(TyData::FnDef(def)),
            Res::External(path) => self.external_value(path),
            Res::SelfType => model.self_ty(scope).unwrap_or_default(),
            _ => Ty::UNKNOWN,
        }
    }

    fn external_value(&self, path: Symbol) -> Ty {
        if path == known::NONE {
            return self.model.external(known::OPTION, &[Ty::UNKNOWN]);
        }
        if self.model.fn_row(path).is_some() {
            return self.model.intern_ty(TyData::FnExternal(path));
        }
        let Some((of, name)) = split_last(self.model.text(path)) else { return Ty::UNKNOWN };
        let row = self.model.apis.type_row(of).filter(|row| row.variants.contains_key(name));
        row.map_or(Ty::UNKNOWN, |row| self.model.external(self.model.symbols.intern(&row.path), &[]))
    }

    pub fn assign(&mut self, part: usize, dest: PlaceId, ty: Ty) {
        let Some(dest) = dest.get() else { return };
        let Some(local) = self.parts[part].body.whole_local(dest) else { return };
        let known = self.parts[part].locals[local.index()];
        let known = if known == Ty::NEVER { Ty::UNKNOWN } else { known };
        self.parts[part].locals[local.index()] = self.model.merge(known, ty);
    }

    /// A use of `operand` where a value of type `expected` is wanted fills in what is not known of it. Where coercions
    /// are possible, only the arguments of an equal type are learned.
    pub fn learn(&mut self, part: usize, operand: Operand, expected: Ty) {
        let Some((position, place)) = operand.as_place() else { return };
        let Some(local) = self.parts[part].body.whole_local(place) else { return };
        let known = self.parts[part].locals[local.index()];
        if !expected.is_known() || (known.is_known() && !self.model.is_partial(known)) {
            return;
        }
        let expected = match position {
            Position::Bare => expected,
            Position::Ref | Position::RefMut => match *self.model.ty(expected) {
                TyData::Ref { to, .. } => to,
                _ => return,
            },
            _ => return,
        };
        let plain = matches!(self.model.ty(expected), TyData::Adt(..) | TyData::External(..) | TyData::Tuple(_));
        let coerced = self
            .model
            .external_path(expected)
            .is_some_and(|p| matches!(p, known::BOX | known::ARC | known::RC | known::PIN));
        if !plain || (!known.is_known() && (coerced || position != Position::Bare)) {
            return;
        }
        self.refine(part, local, expected);
    }

    /// Adds to what is known of a local.
    pub fn refine(&mut self, part: usize, local: LocalId, ty: Ty) {
        let known = self.parts[part].locals[local.index()];
        let merged = self.model.merge(known, ty);
        if merged != known {
            self.parts[part].locals[local.index()] = merged;
            self.parts[part].refined = true;
        }
    }
}

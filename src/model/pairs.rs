//! Foreign functions that belong together, learned from the code of the run: one gives out a raw thing, the other takes
//! it back.
//!
//! A pair needs a name that says *acquire*, one that says *release*, and something that ties the two: both used on one
//! value somewhere, one pointer type of their own, or one stem. Libraries with a table need no learning.

use super::digest::Digest;
use super::words::Name;
use super::{Callee, DefId, Model, Ty, TyData};
use crate::facts::item_flags;
use rustc_hash::{FxHashMap, FxHashSet};

/// What ties two functions together, the strongest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// One stem.
    Named,
    /// One gives the pointer type that the other takes.
    Typed,
    /// One stem and one pointer type.
    NamedAndTyped,
    /// Both are used on one value.
    Used,
}

/// What a foreign function gives out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Who takes it back.
    pub released_by: Vec<Callee>,
    /// The argument behind which it is put, if that is not the result.
    pub out: Option<u8>,
    /// What ties them together.
    pub evidence: Evidence,
}

/// A foreign function with all that is asked of it.
struct Foreign {
    callee: Callee,
    name: Name,
    /// Pointees of the result, of what is behind the parameters, and of the parameters; nothing if it is not declared
    /// in the run.
    signature: Option<Signature>,
}

struct Signature {
    result: Option<Ty>,
    outs: Vec<Option<Ty>>,
    params: Vec<Option<Ty>>,
}

/// By function that gives out, its partners.
pub fn learn(model: &Model, digests: &[Digest]) -> FxHashMap<Callee, Pair> {
    let called: FxHashSet<Callee> = digests.iter().flat_map(|d| &d.foreign).copied().collect();
    let outside = called.iter().copied().filter(|c| matches!(c, Callee::External(_)));
    let declared = model.defs().filter(|&def| !called.is_empty() && model.is_foreign_fn(def)).map(Callee::Def);
    let mut releases: FxHashMap<&str, Vec<Foreign>> = FxHashMap::default();
    for release in declared.chain(outside).map(|c| foreign(model, c)).filter(|f| f.name.releases()) {
        releases.entry(crate_name(model, release.callee)).or_default().push(release);
    }
    let mut pairs: FxHashMap<Callee, Pair> = FxHashMap::default();
    for acquire in called.iter().map(|&c| foreign(model, c)).filter(|f| f.name.acquires()) {
        for release in releases.get(crate_name(model, acquire.callee)).into_iter().flatten() {
            if let Some((out, evidence)) = tied(model, &acquire, release) {
                add(&mut pairs, acquire.callee, release.callee, out, evidence);
            }
        }
    }
    for &(acquire, release) in digests.iter().flat_map(|d| &d.used_together) {
        add(&mut pairs, acquire, release, None, Evidence::Used);
    }
    pairs.values_mut().for_each(|pair| pair.released_by.sort_by_key(|&c| model.callee_path(c)));
    pairs
}

fn add(pairs: &mut FxHashMap<Callee, Pair>, acquire: Callee, release: Callee, out: Option<u8>, evidence: Evidence) {
    let pair = pairs.entry(acquire).or_insert(Pair { released_by: Vec::new(), out, evidence });
    if evidence > pair.evidence {
        *pair = Pair { released_by: Vec::new(), out, evidence };
    }
    if evidence == pair.evidence && !pair.released_by.contains(&release) {
        pair.released_by.push(release);
    }
}

fn crate_name(model: &Model, callee: Callee) -> &str {
    let path = model.callee_path(callee);
    path.split("::").next().unwrap_or(path)
}

fn foreign(model: &Model, callee: Callee) -> Foreign {
    let name = model.callee_path(callee);
    let name = Name::of(name.rsplit("::").next().unwrap_or_default());
    let signature = match callee {
        Callee::Def(def) => {
            let params = model.params_of(def);
            Some(Signature {
                result: pointee(model, model.result_ty(def)),
                outs: params.iter().map(|&ty| pointee(model, ty).and_then(|ty| pointee(model, ty))).collect(),
                params: params.iter().map(|&ty| pointee(model, ty)).collect(),
            })
        }
        _ => None,
    };
    Foreign { callee, name, signature }
}

/// What ties two functions together, and where the first one puts what it gives out.
fn tied(model: &Model, acquire: &Foreign, release: &Foreign) -> Option<(Option<u8>, Evidence)> {
    let named = acquire.name.pairs_with(&release.name);
    let (Some(gives), Some(takes)) = (&acquire.signature, &release.signature) else {
        return (named && acquire.name.creates()).then_some((None, Evidence::Named));
    };
    let taken = (*takes.params.first()?)?;
    let fits = |ty: &Option<Ty>| *ty == Some(taken);
    if fits(&gives.result) {
        // `void *` says nothing.
        let own = matches!(model.ty(taken), TyData::Adt(..));
        // What `foo_new(foo)` is given may be what it gives back.
        let passes = gives.params.iter().any(fits);
        return match (own && !passes, named) {
            (true, true) => Some((None, Evidence::NamedAndTyped)),
            (true, false) if release.name.destroys() => Some((None, Evidence::Typed)),
            (false, true) => Some((None, Evidence::Named)),
            (_, false) => None,
        };
    }
    let out = gives.outs.iter().position(fits).filter(|_| named)?;
    Some((Some(out as u8), Evidence::Named))
}

fn pointee(model: &Model, ty: Ty) -> Option<Ty> {
    match *model.ty(ty) {
        TyData::Pointer(to) | TyData::Ref { to, .. } => Some(to),
        // `Option<NonNull<T>>`, `Option<&mut T>`
        TyData::External(_, _) if model.payload(ty) != ty => pointee(model, model.payload(ty)),
        _ => None,
    }
}

impl Model {
    /// Whether a function is declared in an `extern` block: it has no body.
    pub fn is_foreign_fn(&self, def: DefId) -> bool {
        self.item(def).flags & item_flags::FOREIGN != 0 && self.body_of(def).is_none()
    }

    /// Whether a call goes into C: to a function of an `extern` block, or of a crate that binds a library.
    pub fn is_foreign(&self, callee: Callee) -> bool {
        match callee {
            Callee::Def(def) => self.is_foreign_fn(def),
            Callee::External(path) => self.apis.is_foreign(self.text(path)),
            _ => false,
        }
    }

    /// The path of what is called.
    pub fn callee_path(&self, callee: Callee) -> &str {
        match callee {
            Callee::Def(def) | Callee::Constructor(def) => self.text(self.def_path(def)),
            Callee::External(path) | Callee::Distinctive(path) => self.text(path),
            Callee::Closure(_) | Callee::Unknown => "",
        }
    }

    /// What the name of a foreign function says.
    pub fn foreign_name(&self, callee: Callee) -> Name {
        let path = self.callee_path(callee);
        Name::of(path.rsplit("::").next().unwrap_or(path))
    }
}

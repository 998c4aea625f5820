//! What type parameters stand for where a class or a function is used.
//!
//! Must not: say of which type an expression is; it asks for that.

use std::collections::{HashMap, HashSet};

use super::{MAX_STEPS, Type, Types};
use crate::pattern::Call;
use crate::symbol::{Definition, Symbols};
use crate::tree::Node;

/// What the type parameters of a class or function stand for where it is used.
#[derive(Clone, Default)]
pub(super) struct Env {
    /// All of them: any other name is a parameter of the code around.
    pub(super) own: HashSet<String>,
    pub(super) known: HashMap<String, Type>,
}

impl Types<'_> {
    /// What the type parameters of a function stand for in a call.
    pub(super) fn bound(
        &self,
        symbols: &Symbols,
        name: Node<'_>,
        around: &Env,
        call: Option<&Call<'_>>,
        step: usize,
    ) -> Env {
        let mut env = around.clone();
        let tree = name.tree();
        let own: Vec<Node<'_>> = symbols.parameters_of(name);
        for parameter in &own {
            env.known.remove(parameter.text());
            env.own.insert(parameter.text().to_owned());
        }
        let explicit = call.and_then(|c| c.types.clone()).unwrap_or_default();
        for (parameter, given) in own.iter().zip(explicit.iter().filter(|n| n.is_named())) {
            if let Some(given) = self.read(*given, step + 1) {
                env.known.insert(parameter.text().to_owned(), given);
            }
        }
        let Some(function) = name.parent() else { return env };
        let within = symbols.declared(tree).within.get(&function.id).into_iter().flatten();
        let values = within.filter(|id| !symbols.type_parameters.contains(id));
        let values = values.filter_map(|id| symbols.by_node.get(id).map(|i| &symbols.definitions[*i]));
        let values: Vec<&Definition> = values.filter(|d| d.type_node.is_some()).collect();
        // By position, as long as none has a name.
        let mut given = call.iter().flat_map(|c| &c.arguments).filter(|n| n.is_named()).map_while(|n| by_position(*n));
        for value in values {
            let Some(wanted) = value.type_node.and_then(|of| self.read(tree.node(of), step + 1)) else {
                given.next();
                continue;
            };
            // Evidence that one type is another: nobody gives it.
            if wanted.path == tree.language.facts.symbols.types.evidence {
                let [Some(is), Some(other)] = wanted.args.as_slice() else { continue };
                if let Some(is) = filled(is, &env) {
                    self.unify(other, &is, &own, &mut env, 0);
                }
                continue;
            }
            if let Some(is) = given.next().and_then(|argument| self.infer(argument, step + 1)) {
                self.unify(&wanted, &is, &own, &mut env, 0);
            }
        }
        env
    }

    /// What type parameters must stand for, so that `wanted` is `is`, or is above it.
    fn unify(&self, wanted: &Type, is: &Type, own: &[Node<'_>], env: &mut Env, step: usize) {
        if step > MAX_STEPS {
            return;
        }
        if let Some(parameter) = wanted.path.strip_prefix('\'') {
            let primitives = &self.file.language.facts.symbols.types.primitives;
            // `int` stands for no type parameter.
            if own.iter().any(|p| p.text() == parameter) && !primitives.contains(&is.path) {
                env.known.entry(parameter.to_owned()).or_insert_with(|| is.clone());
            }
            return;
        }
        let Some(above) = self.above(is).into_iter().find(|t| t.path == wanted.path) else { return };
        for (wanted, is) in wanted.args.iter().zip(&above.args) {
            if let (Some(wanted), Some(is)) = (wanted, is) {
                self.unify(wanted, is, own, env, step + 1);
            }
        }
    }
}

/// The value of an argument without a name.
fn by_position(argument: Node<'_>) -> Option<Node<'_>> {
    if !argument.tree().language.facts.arguments.named.iter().any(|k| k == argument.kind()) {
        return Some(argument);
    }
    let mut parts = argument.named_children();
    parts.next().filter(|_| parts.next().is_none())
}

/// What the parameters of a class stand for in a type.
pub(super) fn environment(symbols: &Symbols, class: Node<'_>, is: &Type) -> Env {
    let parameters = symbols.parameters_of(class);
    let own = parameters.iter().map(|p| p.text().to_owned()).collect();
    let pairs = parameters.iter().zip(&is.args);
    Env { own, known: pairs.filter_map(|(p, arg)| Some((p.text().to_owned(), arg.clone()?))).collect() }
}

/// A type with its parameters filled in; an argument that is not known stays so.
pub(super) fn filled(is: &Type, env: &Env) -> Option<Type> {
    if let Some(parameter) = is.path.strip_prefix('\'') {
        return if env.own.contains(parameter) { env.known.get(parameter).cloned() } else { Some(is.clone()) };
    }
    let args = is.args.iter().map(|arg| arg.as_ref().and_then(|arg| filled(arg, env))).collect();
    Some(Type { args, ..is.clone() })
}

//! Models that a comment names for dbt: `-- depends_on: {{ ref('x') }}`.
//!
//! Must not: read any other comment.

use crate::dataset::Datasets;
use crate::dataset::mapping::Position;
use crate::dataset::names::Met;
use crate::dataset::sql::Project;
use crate::dataset::usage::{Doubt, Form, Of, Unit, Use};

/// A unit for each `ref` of a dataset in such a comment.
pub(super) fn depends_on(text: &str, datasets: &Datasets, project: &Project) -> Vec<Unit> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let comment = line.trim_start().starts_with("--") && line.contains("depends_on");
        for (call, word) in line.match_indices("ref(").filter(|_| comment) {
            let inside = call + word.len();
            let Some(end) = line[inside..].find(')') else { continue };
            found.extend(unit(&line[inside..inside + end], start + inside, datasets, project));
        }
    }
    found
}

/// A unit for each `ref` of a dataset in a model that is code: it is told, and stays.
pub(super) fn in_code(text: &str, datasets: &Datasets, project: &Project) -> Vec<Unit> {
    let mut found = Vec::new();
    for (call, word) in text.match_indices("ref(") {
        let inside = call + word.len();
        let Some(end) = text[inside..].find(')') else { continue };
        if let Some(mut unit) = unit(&text[inside..inside + end], inside, datasets, project) {
            unit.uses.iter_mut().for_each(|one| one.form = Form::Told);
            unit.doubts.push(Doubt::open(unit.range.clone(), "models that are code are searched, not edited"));
            found.push(unit);
        }
    }
    found
}

/// The unit of the arguments of a `ref` that begin at `start`.
fn unit(arguments: &str, start: usize, datasets: &Datasets, project: &Project) -> Option<Unit> {
    let mut texts = Vec::new();
    let mut at = start;
    for part in arguments.split(',') {
        let bare = part.trim().trim_matches(['\'', '"']);
        let from = at + part.find(bare)?;
        texts.push((bare, from..from + bare.len()));
        at += part.len() + 1;
    }
    let met = match &texts[..] {
        [(model, _)] => project.model(datasets, None, model),
        [(package, _), (model, _)] => project.model(datasets, Some(package), model),
        _ => return None,
    };
    let (_, range) = texts.last()?.clone();
    let (dataset, form) = match met {
        Met::Dataset(dataset, new) => {
            let names = &texts[texts.len().saturating_sub(new.len())..];
            let edits = names.iter().zip(&new).filter(|((old, _), new)| old != new);
            (dataset, Form::Name(edits.map(|((_, range), new)| (range.clone(), new.clone())).collect()))
        }
        Met::Half(dataset, _) => (dataset, Form::Told),
        Met::Known(_) | Met::Other => return None,
    };
    let one = Use { range: range.clone(), dataset, of: Of::Dataset, position: Position::Read, form };
    Some(Unit { range, uses: vec![one], ..Unit::default() })
}

#[cfg(test)]
mod tests {
    use crate::dataset::dbt::tests::{moved, stays};

    #[test]
    fn a_model_that_a_comment_names_moves_with_its_project() {
        let of = |column: &str| {
            format!(
                "-- depends_on: {{{{ ref('dim_users_v1') }}}}\n-- see ref('dim_users_v1')\nselect {column} as c from {{{{ ref('dim_users_v1') }}}}\n"
            )
        };
        let (texts, why) = moved(&[("models/k.sql", &of("country_code"))]);
        assert!(why.is_empty(), "{why:?}");
        let expected = of("country")
            .replacen("users_v1", "users_v2", 1)
            .replace("from {{ ref('dim_users_v1", "from {{ ref('dim_users_v2");
        assert_eq!(texts[0], expected);
        let model =
            "def model(dbt, session):\n    return dbt.ref(\"dim_users_v1\").groupBy(\"country_code\").count()\n";
        stays(&[("models/k.sql", &of("country_code")), ("models/p.py", model)], "searched, not edited");
        stays(&[("models/k.sql", &of("referrer"))], "another file of the project keeps it from moving");
    }
}

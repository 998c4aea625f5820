//! What the other files of a consumer say of a file's names: who may call its functions,
//! read its values, and put parts behind its queries.
//!
//! [`Speaker`] is what one file says. What is outside of the consumer is not seen.
//! Must not: read files, or follow a value.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::scripts;
pub use super::scripts::is_script;
use super::speaker::{GLUE, IMPORTERS, is_index, module, modules};
pub use super::speaker::{Speaker, Subjects, family, is_code};

/// The files of a consumer that speak of each other.
#[derive(Debug, Default)]
pub struct Elsewhere {
    numbers: HashMap<String, u32>,
    speakers: Vec<Speaker>,
    /// By the path of a file that names a dataset: the speakers that reach it, by number.
    reach: BTreeMap<String, BTreeSet<usize>>,
    /// By the number of a module's word: the speakers that have it.
    speaking_of: HashMap<u32, Vec<usize>>,
    /// Speakers that read files which end so, or reach one that does; any file where that is empty.
    openers: BTreeMap<&'static str, BTreeSet<usize>>,
    /// Modules' names that more than one file of SQL, YAML or JSON has.
    shared: HashSet<u32>,
    /// These with their folders.
    scripts: HashSet<String>,
    /// Where datasets are named: each, and a place.
    named: Vec<(usize, String)>,
    /// Files that read a table whose name is put in, and name a column of a dataset that another one names.
    opening: BTreeSet<String>,
}

/// From where a name can be spoken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// From nowhere but its file.
    Nowhere,
    /// From files that import its module, or one that does.
    Imported,
    /// From these, under any name.
    ImportedAs,
    /// From any file of the same family.
    Anywhere,
    /// From those that speak of this class, too.
    With(String),
}

impl Elsewhere {
    /// Puts together what all files say; `bearing` are the paths of those that name a dataset.
    pub fn new(subjects: Subjects, mut speakers: Vec<Speaker>, bearing: &BTreeSet<String>) -> Self {
        speakers.sort_by(|a, b| a.path.cmp(&b.path));
        let (numbers, shared, scripts) = (subjects.numbers, subjects.shared, subjects.scripts);
        let mut all = Self { numbers, shared, scripts, speakers, ..Self::default() };
        all.index();
        for path in bearing {
            let reach = family(path).map_or_else(BTreeSet::new, |family| all.reaching(vec![path], family));
            all.reach.insert(path.clone(), reach);
        }
        // Who reads files matters to those that are read as such.
        if bearing.iter().any(|path| is_script(path)) {
            let mut openers: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
            for (at, one) in all.speakers.iter().enumerate().filter(|(_, one)| one.family < GLUE) {
                let kinds = one.opens_kind.iter().chain(one.opens.then_some(&""));
                kinds.for_each(|kind| _ = openers.entry(kind).or_default().insert(at));
            }
            openers.values_mut().for_each(|first| all.with_reaching(first));
            all.openers = openers;
        }
        all
    }

    /// Says where datasets are named: each, the file and the line.
    #[must_use]
    pub fn naming(mut self, named: &[(usize, String, u32)]) -> Self {
        let reads = |one: &&Speaker| {
            let known = |dataset: usize| named.iter().any(|(of, path, _)| *of == dataset && *path != one.path);
            one.opened.is_some() && one.named.iter().any(|(dataset, ..)| known(*dataset))
        };
        self.opening = self.speakers.iter().filter(reads).map(|one| one.path.clone()).collect();
        self.named = named.iter().map(|(dataset, path, line)| (*dataset, format!("{path}:{line}"))).collect();
        self.named.sort();
        self
    }

    /// The files that may read a dataset of which they name no part.
    pub fn opening(&self) -> &BTreeSet<String> {
        &self.opening
    }

    /// Where another file names a dataset.
    pub fn names_dataset(&self, path: &str, dataset: usize) -> Option<&str> {
        let own = |place: &str| place.rsplit_once(':').is_some_and(|(of, _)| of == path);
        self.named.iter().find(|(of, place)| *of == dataset && !own(place)).map(|(_, place)| place.as_str())
    }

    /// Which files speak of which modules.
    fn index(&mut self) {
        let modules = self.speakers.iter().flat_map(|one| modules(&one.path));
        let named: HashSet<u32> = modules.filter_map(|name| self.numbers.get(name)).copied().collect();
        for (at, speaker) in self.speakers.iter().enumerate() {
            let asks = |word: &u32| !IMPORTERS.contains(&speaker.family) || speaker.asked.contains(word);
            for (word, _) in speaker.words.iter().filter(|(word, _)| named.contains(word) && asks(word)) {
                self.speaking_of.entry(*word).or_default().push(at);
            }
        }
    }

    /// Whether others may decide what becomes of a file.
    pub fn concerns(&self, path: &str) -> bool {
        self.reach.contains_key(path) || self.opening.contains(path)
    }

    /// The files that import one of these modules, or one that imports it, and so on.
    fn reaching(&self, of: Vec<&str>, family: usize) -> BTreeSet<usize> {
        let own: BTreeSet<&str> = of.iter().copied().collect();
        let with =
            |wanted: fn(&Speaker) -> bool| (0..self.speakers.len()).filter(move |at| wanted(&self.speakers[*at]));
        let (any, dots): (Vec<usize>, Vec<usize>) = (with(|one| one.any).collect(), with(|one| one.dots).collect());
        let mut found = BTreeSet::new();
        let mut pending = of;
        let mut first = any;
        while let Some(of) = pending.pop() {
            let numbers = modules(of).into_iter().filter_map(|name| self.numbers.get(name));
            let named = numbers.filter_map(|number| self.speaking_of.get(number)).flatten().copied();
            let dots = dots.iter().copied().filter(|_| is_index(of));
            for at in named.chain(dots).chain(std::mem::take(&mut first)) {
                let speaker = &self.speakers[at];
                if speaker.family == family && !own.contains(speaker.path.as_str()) && found.insert(at) {
                    pending.push(&speaker.path);
                }
            }
        }
        found
    }

    /// Adds to speakers those of their own family that reach one of them.
    fn with_reaching(&self, first: &mut BTreeSet<usize>) {
        for family in 0..GLUE {
            let own = first.iter().map(|number| &self.speakers[*number]).filter(|one| one.family == family);
            let own: Vec<&str> = own.map(|one| one.path.as_str()).collect();
            if !own.is_empty() {
                first.extend(self.reaching(own, family));
            }
        }
    }

    fn line(&self, speaker: &Speaker, word: &str) -> Option<u32> {
        speaker.line(*self.numbers.get(word)?)
    }

    /// The files that may speak of a name of the file at `path`, and the line where they do.
    fn speaking<'e>(
        &'e self,
        path: &'e str,
        name: &'e str,
        seen: &'e Seen,
    ) -> impl Iterator<Item = (&'e Speaker, u32)> {
        let family = family(path);
        let reach = self.reach.get(path);
        // Under another name it may be had by whoever reaches the file that gives it one.
        let number = self.numbers.get(name);
        let renamed = *seen == Seen::Imported
            && reach.into_iter().flatten().any(|at| number.is_some_and(|one| self.speakers[*at].renames.contains(one)));
        let seen = if renamed { &Seen::ImportedAs } else { seen };
        self.speakers.iter().enumerate().filter_map(move |(number, speaker)| {
            if Some(speaker.family) != family || speaker.path == path {
                return None;
            }
            let imports = || reach.is_some_and(|reach| reach.contains(&number));
            let line = match seen {
                Seen::Nowhere => None,
                Seen::Imported => self.line(speaker, name).filter(|_| imports()),
                Seen::ImportedAs => imports().then_some(1),
                Seen::Anywhere => self.line(speaker, name),
                Seen::With(class) => self.line(speaker, name).filter(|_| self.line(speaker, class).is_some()),
            };
            line.map(|line| (speaker, line))
        })
    }

    /// Where another file speaks of a name: `jobs/other.py:3`.
    pub fn place(&self, path: &str, name: &str, seen: &Seen) -> Option<String> {
        self.speaking(path, name, seen).next().map(|(speaker, line)| format!("{}:{line}", speaker.path))
    }

    /// The part of a query, in another file that may have what a name holds, that names a column
    /// of a dataset: its column, and where. Whoever reaches a file may have it under any name.
    pub fn part(&self, path: &str, name: &str, seen: &Seen, dataset: usize, open: bool) -> Option<(String, String)> {
        if *seen == Seen::Nowhere || !self.has_parts(path, dataset, open) {
            return None;
        }
        let own = family(path)?;
        let reach = self.reach.get(path);
        let mut may: BTreeSet<usize> = reach.into_iter().flatten().copied().collect();
        let word = match seen {
            Seen::Anywhere => Some(name),
            Seen::With(class) => Some(class.as_str()),
            _ => None,
        };
        if let Some(number) = word.and_then(|word| self.numbers.get(word)) {
            let speaks = |one: &Speaker| one.family == own && one.path != path && one.line(*number).is_some();
            let speaking: Vec<usize> = (0..self.speakers.len()).filter(|at| speaks(&self.speakers[*at])).collect();
            let paths = speaking.iter().map(|at| self.speakers[*at].path.as_str()).collect();
            may.extend(self.reaching(paths, own));
            may.extend(speaking);
        }
        let others = may.into_iter().map(|at| &self.speakers[at]).filter(|one| one.path != path);
        others.into_iter().find_map(|one| one.part(dataset, open))
    }

    /// Whether other code that could speak of a file has parts of queries over a dataset; with `open`, or
    /// the name of a column for a query into which something is put.
    pub fn has_parts(&self, path: &str, dataset: usize, open: bool) -> bool {
        let family = family(path);
        let others = self.speakers.iter().filter(|one| Some(one.family) == family && one.path != path);
        others.into_iter().any(|one| one.part(dataset, open).is_some())
    }

    /// The files that name one of SQL, YAML or JSON, with those that reach them; and code that speaks of it, or that
    /// reads files.
    pub fn beside(&self, path: &str) -> Beside<'_> {
        let own = module(path);
        let number = self.numbers.get(own).copied();
        // Of files that share their name one is spoken of by a text: `query` is a variable, too.
        let shared = number.is_some_and(|number| self.shared.contains(&number));
        let speaks = |one: &Speaker| {
            one.family < GLUE
                && number.is_some_and(|number| one.line(number).is_some() && (!shared || one.asked.contains(&number)))
        };
        let lower = path.to_lowercase();
        let (name, in_folder) = (module(&lower), scripts::in_folder(&lower));
        let all = self.speakers.iter().enumerate();
        let (mut may, mut naming) = (BTreeSet::new(), BTreeSet::new());
        for (at, one) in all {
            naming.extend(one.names(name, in_folder.as_ref(), &self.scripts).then_some(at));
            may.extend(speaks(one).then_some(at));
        }
        self.with_reaching(&mut naming);
        let end = &path[path.rfind('.').unwrap_or(path.len())..];
        may.extend(naming);
        may.extend(self.openers.iter().filter(|(kind, _)| end.starts_with(*kind)).flat_map(|(_, all)| all));
        let speakers = may.into_iter().map(|at| &self.speakers[at]).filter(|one| one.path != path).collect();
        Beside { elsewhere: self, speakers }
    }

    /// Where another file names a column of a dataset that changes, in any way.
    pub fn names_a_column(&self, path: &str, dataset: usize) -> Option<(String, String)> {
        let others = self.speakers.iter().filter(|one| one.path != path);
        others.into_iter().find_map(|one| {
            let (_, column, line) = one.named.iter().find(|(of, ..)| *of == dataset)?;
            Some((column.clone(), format!("{}:{line}", one.path)))
        })
    }

    /// Where another file reads a table whose name is put in, and names a column of a dataset that changes.
    pub fn reads_any_table(&self, path: &str, dataset: usize) -> Option<(String, String)> {
        let others = self.speakers.iter().filter(|one| one.path != path);
        others.into_iter().find_map(|one| {
            let (_, column, _) = one.named.iter().find(|(of, ..)| *of == dataset)?;
            Some((column.clone(), format!("{}:{}", one.path, one.opened?)))
        })
    }

    /// Where another file may replace something in what a name holds.
    pub fn change(&self, path: &str, name: &str, seen: &Seen) -> Option<String> {
        let number = self.numbers.get(name)?;
        self.speaking(path, name, seen).find_map(|(speaker, _)| {
            let at = speaker.replaced.partition_point(|(word, _)| word < number);
            let (word, line) = speaker.replaced.get(at)?;
            (word == number).then(|| format!("{}:{line}", speaker.path))
        })
    }
}

/// The files that may read another one, and know what it says.
pub struct Beside<'e> {
    elsewhere: &'e Elsewhere,
    speakers: Vec<&'e Speaker>,
}

impl Beside<'_> {
    /// The part of a query in one of them that names a column of a dataset: its column, and where; with `open` as in
    /// [`Elsewhere::has_parts`].
    pub fn part(&self, dataset: usize, open: bool) -> Option<(String, String)> {
        self.speakers.iter().find_map(|speaker| speaker.part(dataset, open))
    }

    /// Where one of them speaks of a name.
    pub fn spoken(&self, name: &str) -> Option<String> {
        let line = |speaker: &Speaker| Some(format!("{}:{}", speaker.path, self.elsewhere.line(speaker, name)?));
        self.speakers.iter().find_map(|speaker| line(speaker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Datasets;

    fn all(files: &[(&str, &str)], bearing: &str) -> Elsewhere {
        let datasets = Datasets::default();
        let mut subjects = Subjects::of(&datasets);
        subjects.modules(files.iter().map(|(path, _)| *path));
        files.iter().filter(|(path, _)| *path == bearing).for_each(|(_, text)| subjects.file(text));
        let speakers = files.iter().filter_map(|(path, text)| subjects.speaker(path, text, &datasets)).collect();
        Elsewhere::new(subjects, speakers, &BTreeSet::from([bearing.to_owned()]))
    }

    #[test]
    fn code_that_names_a_file_of_sql_and_has_parts_of_queries_may_add_them() {
        let text =
            "[dataset]\nname = \"u\"\n[names]\ntable = { old = \"p.a.u1\", new = \"p.a.u2\" }\n[columns]\nc = \"d\"\n";
        let mapping = crate::dataset::mapping::read(text, crate::dataset::mapping::Notation::Toml, "m").unwrap();
        let datasets = Datasets { mappings: vec![mapping], ..Datasets::default() };
        let part_of = |code: &str, path: &str, open: bool| {
            let mut subjects = Subjects::of(&datasets);
            subjects.modules([path, "jobs/a.py"].into_iter());
            let speaker = subjects.speaker("jobs/a.py", code, &datasets).unwrap();
            let all = Elsewhere::new(subjects, vec![speaker], &BTreeSet::from([path.to_owned()]));
            all.beside(path).part(0, open)
        };
        let part = |code: &str, path: &str| part_of(code, path, false);
        let reads = "q = open('sql/users.sql').read()\nrun(q + \" and c = 'DE'\")\n";
        assert_eq!(part(reads, "sql/users.sql"), Some(("c".to_owned(), "jobs/a.py:2".to_owned())));
        // Code that reads files may read any.
        assert!(part(reads, "sql/others.sql").is_some());
        let unread = reads.replace("open('sql/users.sql').read()", "f('sql/users.sql')");
        assert!(part(&unread, "sql/users.sql").is_some());
        assert!(part(&reads.replace("users.sql", "{name}.sql"), "sql/users.sql").is_some());
        assert!(part("run(open('users.sql').read().replace('X', 'c'))\n", "users.sql").is_some());
        assert_eq!(part(&reads.replace("open('sql/users.sql').read()", "spark.sql('x')"), "sql/users.sql"), None);
        assert_eq!(part("run(open('users.sql').read())\n", "users.sql"), None);
        // What reads JSON reads no SQL, and a variable is no file where many are called so.
        let json = "import json\nrun(QUERY + \" and c = 'DE'\")\n";
        assert_eq!(part(json, "sql/users.sql"), None);
        assert!(part(json, "conf/users.json").is_some());
        assert!(part("users = f()\nrun(users + \" and c = 'DE'\")\n", "sql/users.sql").is_some());
        let many = |code: &str| {
            let mut subjects = Subjects::of(&datasets);
            subjects.modules(["a/users.sql", "b/users.sql", "jobs/a.py"].into_iter());
            let speaker = subjects.speaker("jobs/a.py", code, &datasets).unwrap();
            let all = Elsewhere::new(subjects, vec![speaker], &BTreeSet::from(["a/users.sql".to_owned()]));
            all.beside("a/users.sql").part(0, false)
        };
        assert_eq!(many("users = f()\nrun(users + \" and c = 'DE'\")\n"), None);
        assert_eq!(many("run(load('b/users.sql') + \" and c = 'DE'\")\n"), None);
        let query = "q = f\"\"\"\n  SELECT\n  x, c FROM {t} WHERE c = {v}\"\"\"\nrun(open('users.sql').read())\n";
        assert_eq!(part(query, "users.sql"), None);
        for named in [
            "load('users.sql')",
            "load('a/users.sql')",
            "load('app/users.sql')",
            "load(f'{b}/users.sql')",
            "load('users')",
            "load('a/users')",
            "load(f'{folder}/users')",
            "load('a.users.count')",
        ] {
            assert!(many(&format!("run({named} + \" and c = 'DE'\")\n")).is_some(), "{named}");
        }
        // A name alone can only be put in where something is.
        let named = "run(open('users.sql').read(), f('c'), x + ' and y = 1')\n";
        assert_eq!(part(named, "users.sql"), None);
        assert!(part_of(named, "users.sql", true).is_some());
    }

    #[test]
    fn a_module_of_python_is_reached_by_imports_and_texts_and_no_variable() {
        let reached = |code: &str| {
            let files = [("jobs/users.py", "users = 1\nLIMIT = 2\n"), ("jobs/b.py", code)];
            all(&files, "jobs/users.py").place("jobs/users.py", "LIMIT", &Seen::Imported).is_some()
        };
        for code in [
            "import users\nf(users.LIMIT)\n",
            "from jobs import (\n    a,\n    users as u,\n)\nf(u.LIMIT)\n",
            "from jobs.users import *\nf(LIMIT)\n",
            "from \\\n  jobs.users import LIMIT\n",
            "    from . import a, \\\n        users; f(users.LIMIT)\n",
            "from jobs import a, \\\n    b, \\\n    users\nf(users.LIMIT)\n",
            "from jobs import (  # noqa (all)\n    a,\n    users,\n)\nf(users.LIMIT)\n",
            "from jobs import (\n    a,  # (old)\n    users,\n)\nf(users.LIMIT)\n",
            "# MAGIC from jobs import (\n# MAGIC   a,  # (old)\n# MAGIC   users)\nf(users.LIMIT)\n",
            "with patch('jobs.users.LIMIT', 1): pass\n",
            "# MAGIC %run ./users\nf(LIMIT)\n",
            "import_module(name).LIMIT\n",
        ] {
            assert!(reached(code), "{code}");
        }
        for code in
            ["users = g()\nf(users.LIMIT)\n", "import (a)\nusers = LIMIT\n", "# import it (late\nusers = LIMIT\n"]
        {
            assert!(!reached(code), "{code}");
        }
        // Elsewhere a name needs no import.
        let files = [("a/Users.java", "class Users { }\n"), ("a/B.java", "class B { Object b = Users.LIMIT; }\n")];
        assert!(all(&files, "a/Users.java").reach["a/Users.java"].contains(&0));
    }

    #[test]
    fn a_folder_is_reached_by_dots_and_by_its_package_and_names_under_others() {
        let files = [
            ("packages/q/src/queries.ts", "export const USERS = 'x';\n"),
            ("packages/q/src/index.ts", "export * from './queries';\n"),
            ("packages/q/src/a.ts", "import { USERS } from '.';\n"),
            ("packages/b/src/b.ts", "import { USERS } from '@acme/q';\n"),
            ("packages/c/src/c.ts", "import { OTHER } from '@acme/c';\nconst USERS = 1;\n"),
        ];
        let of = |files: &[(&str, &str)], path: &str| {
            let all = all(files, path);
            let found = all.speaking(path, "USERS", &Seen::Imported).map(|(speaker, _)| speaker.path.clone());
            found.collect::<Vec<String>>()
        };
        assert_eq!(of(&files, "packages/q/src/queries.ts"), ["packages/b/src/b.ts", "packages/q/src/a.ts"]);
        let renamed = [
            ("pkg/queries.py", "USERS = 'x'\n"),
            ("pkg/__init__.py", "from .queries import USERS as PAID\n"),
            ("main.py", "from pkg import PAID\n"),
        ];
        assert!(of(&renamed, "pkg/queries.py").contains(&"main.py".to_owned()));
    }

    #[test]
    fn a_name_is_spoken_of_where_its_module_is_reached() {
        let files = [
            ("jobs/a.py", "def clean(df): pass\n"),
            ("jobs/__init__.py", "from .a import *\n"),
            ("main.py", "import jobs\n\njobs.clean(x)\n"),
            ("other.py", "def clean(x): pass\n"),
            ("b.scala", "import jobs.a\nclean(x)\n"),
            ("notes.md", "a jobs clean\n"),
        ];
        let all = all(&files, "jobs/a.py");
        let at = |seen: Seen| all.place("jobs/a.py", "clean", &seen);
        assert_eq!(at(Seen::Imported).as_deref(), Some("main.py:3"));
        assert_eq!(at(Seen::Anywhere).as_deref(), Some("main.py:3"));
        assert_eq!(at(Seen::Nowhere), None);
        assert_eq!(at(Seen::ImportedAs).as_deref(), Some("jobs/__init__.py:1"));
        assert_eq!(at(Seen::With("Nothing".to_owned())), None);
        assert_eq!(all.place("jobs/a.py", "df", &Seen::Imported), None);
    }
}

use super::*;

const USERS: &str = r#"
[dataset]
name = "users"
guide = "https://handbook.example.com/users"

[names]
table = { old = "p.a.users_v1", new = "p.a.users_v2" }

[columns]
user_id = "user_id"
country_code = "country"

[columns.plan_type]
to = "plan"
values = { F = "free", P = "premium" }

[columns.last_seen]
sql = "cast({last_active_at} as date)"
pyspark = "F.to_date({last_active_at})"

[columns.tier]
to = "segment"
filter = "annotate"

[columns.address]
to = "address"
fields = { postcode = "zip" }

[columns.referrer]
annotate = "two successors"
"#;

/// What is said of `table`: `line:column: message (help)`, each on a line.
fn errors(table: &str) -> String {
    let errors = read(table, Notation::Toml, "m.toml").unwrap_err();
    errors.to_string()
}

#[test]
fn a_table_says_what_becomes_of_each_column() {
    let users = read(USERS, Notation::Toml, "m.toml").unwrap();
    assert_eq!(users.dataset, "users");
    assert_eq!(users.column("Country_Code", true).and_then(Column::to), Some("country"));
    assert_eq!(users.column("Country_Code", false), None);
    assert!(users.column("user_id", false).unwrap().is_kept());
    assert!(users.arrives("country") && users.arrives("last_active_at") && !users.arrives("user_id"));
    assert_eq!(users.column("tier", false).unwrap().at(Position::Filter), At::Annotate);
    assert_eq!(users.column("plan_type", false).unwrap().values.as_ref().unwrap().rows["P"], "premium");
    assert_eq!(users.column("plan_type", false).unwrap().place, Place { line: 13, column: 10 });
}

#[test]
fn the_three_notations_are_one_schema() {
    let yaml = r#"
dataset: {name: users, guide: "https://handbook.example.com/users"}
names:
  table: {old: p.a.users_v1, new: p.a.users_v2}
columns:
  user_id: user_id
  country_code: country
  plan_type: {to: plan, values: {F: free, P: premium}}
  last_seen:
    sql: cast({last_active_at} as date)
    pyspark: F.to_date({last_active_at})
  tier: {to: segment, filter: annotate}
  address: {to: address, fields: {postcode: zip}}
  referrer: {annotate: two successors}
"#;
    let csv = "section,name,key,value\n\
        dataset,name,,users\ndataset,guide,,https://handbook.example.com/users\n\
        names,table,old,p.a.users_v1\nnames,table,new,p.a.users_v2\n\
        columns,user_id,,user_id\ncolumns,country_code,,country\n\
        columns,plan_type,to,plan\ncolumns,plan_type,values.F,free\ncolumns,plan_type,values.P,premium\n\
        columns,last_seen,sql,cast({last_active_at} as date)\ncolumns,last_seen,pyspark,F.to_date({last_active_at})\n\
        columns,tier,to,segment\ncolumns,tier,filter,annotate\n\
        columns,address,to,address\ncolumns,address,fields.postcode,zip\n\
        columns,referrer,annotate,two successors\n";
    let mut all = [(USERS, Notation::Toml), (yaml, Notation::Yaml), (csv, Notation::Csv)]
        .map(|(text, notation)| read(text, notation, "m").unwrap_or_else(|errors| panic!("{errors}")));
    for one in &mut all {
        one.columns.iter_mut().for_each(|column| column.place = Place::default());
    }
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0], all[2]);
}

#[test]
fn every_error_has_its_place_and_a_next_step() {
    let table = r#"
[dataset]
name = "users"
guid = "x"

[names]
table = { old = "p.a.users_v1", new = "p.a.users_v1" }
path = { old = "gs://x/users" }

[columns]
a = "b"
b = "a"
c = "d"
e = "D"
f = { to = "x", drop = "gone" }
g = { too = "x" }
h = { sql = "cast({x} as" }
i = { sql = "{x}, {y}" }
j = { to = "j2", values = { 1 = "one" }, literals = { old = "number" } }
k = { to = "k2", filter = "annotat" }
l = 3
"1m" = "m"
n = { to = "n2", values = { x = "it's" } }
A = "again"
"#;
    let expected = [
        "m.toml:4:1: `dataset.guid`: this key is not known (did you mean `guide`?)",
        "m.toml:7:39: `names.table`: the dataset keeps its name, while names of columns move (a becomes b)",
        "m.toml:8:1: `names.path.new`: this key is missing",
        "m.toml:14:1: `columns.e`: c (line 13) becomes D already",
        "m.toml:15:1: `columns.f`: to and drop contradict each other",
        "m.toml:16:1: `columns.g`: nothing says what becomes of the column",
        "m.toml:16:7: `columns.g.too`: this key is not known (did you mean `to`?)",
        "m.toml:17:13: `columns.h.sql`: this is no expression of sql: `cast({x} as`",
        "m.toml:18:13: `columns.i.sql`: this is not one expression of sql: `{x}, {y}`",
        "m.toml:19:61: `columns.j.literals.old`: \"number\" is no kind of literal",
        "m.toml:20:27: `columns.k.filter`: \"annotat\" is nothing that is done (did you mean `annotate`?)",
        "m.toml:21:5: `columns.l`: this is no name",
        "m.toml:22:1: `columns.1m`: \"1m\" is no name of a column",
        "m.toml:23:33: `columns.n.values`: \"it's\" holds a character that needs an escape",
        "m.toml:24:1: `columns.A`: the column was given at 11:1 already",
    ];
    let said = errors(table);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{said}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected) && line.ends_with(')'), "{line}\nand not\n{expected}");
    }
}

#[test]
fn literals_are_of_their_kinds() {
    let table = "[dataset]\nname = \"o\"\n[names]\ntable = { old = \"a.b\", new = \"a.c\" }\n[columns.state]\n\
        to = \"state\"\nvalues = { x = \"paid\" }\nliterals = { old = \"integer\", new = \"string\" }\n";
    assert!(errors(table).starts_with("m.toml:7:12: `columns.state.values`: \"x\" is not of the old literals' kind"));
}

#[test]
fn names_of_systems_have_their_shapes() {
    for (name, says) in [
        ("table = { old = \"users\", new = \"a.b\" }", "\"users\" is no table"),
        ("table = { old = \"a.`b`\", new = \"a.b\" }", "is no name"),
        ("table = { old = \"a.b_*\", new = \"a.c\" }", "a `*` stands for the same text in both names"),
        ("dbt-source = { old = \"a\", new = \"a.b\" }", "\"a\" is no source of dbt"),
        ("path = { old = \"users\", new = \"gs://x\" }", "\"users\" is no path"),
        ("tabel = { old = \"a.b\", new = \"a.c\" }", "did you mean `table`?"),
    ] {
        let table = format!("[dataset]\nname = \"u\"\n[names]\n{name}\n[columns]\na = \"a\"\n");
        assert!(errors(&table).contains(says), "{}", errors(&table));
    }
}

#[test]
fn what_is_no_table_is_said_where_it_ends() {
    assert!(errors("[dataset\n").starts_with("m.toml:1:9: not TOML"), "{}", errors("[dataset\n"));
    let yaml = read("a: [1\n", Notation::Yaml, "m.yml").unwrap_err();
    assert!(yaml.to_string().contains("not YAML"), "{yaml}");
    let twice = read("columns:\n  a: b\n  a: c\n", Notation::Yaml, "m.yaml").unwrap_err();
    assert!(twice.to_string().starts_with("m.yaml:3:3: not YAML: duplicate mapping key: a ("), "{twice}");
    let csv = read("column,to\na,b\n", Notation::Csv, "m.csv").unwrap_err();
    assert!(csv.to_string().starts_with("m.csv:1:1: a mapping table in CSV begins with the line"), "{csv}");
    let twice = "section,name,key,value\ncolumns,a,,b\ncolumns,a,,c\n";
    assert!(
        read(twice, Notation::Csv, "m.csv").unwrap_err().to_string().contains("m.csv:3:1: `columns.a` is given twice")
    );
    assert_eq!(errors("").lines().count(), 3, "three sections are missing");
}

#[test]
fn a_long_table_is_read_in_a_moment() {
    let columns: String = (0..10_000).map(|at| format!("column_{at} = \"renamed_{at}\"\n")).collect();
    let table =
        format!("[dataset]\nname = \"big\"\n[names]\ntable = {{ old = \"a.b\", new = \"a.c\" }}\n[columns]\n{columns}");
    let big = read(&table, Notation::Toml, "m.toml").unwrap();
    assert_eq!(big.columns.len(), 10_000);
    assert_eq!(big.column("column_9999", true).and_then(Column::to), Some("renamed_9999"));
}

#[test]
fn expressions_know_whether_an_operator_could_split_them() {
    let open = |text: &str| Expression::parse(text).unwrap().is_open();
    assert!(!open("cast({a} as date)") && !open("{a}") && !open("f({a}, g({b}))"));
    assert!(open("{a} + 1") && open("f({a}) + g({b})") && open("({a}) + (1)"));
    assert_eq!(Expression::parse("{a").unwrap_err(), "a `{` is not closed");
    assert_eq!(Expression::parse("'{{' || {a}").unwrap().write(|name| format!("t.{name}")), "'{' || t.a");
}

#[test]
fn a_column_that_no_table_has_is_an_error_at_its_line() {
    let text = "[dataset]\nname = \"u\"\n[names]\ntable = { old = \"p.a.u1\", new = \"p.a.u2\" }\n[columns]\na = \"b\"\n\
                zz = \"y\"\nc = \"bb\"\n_partitiontime = \"_partitiontime\"\n[columns.k]\nsql = \"{nope} + 1\"\n";
    let mapping = read(text, Notation::Toml, "m").unwrap();
    let wrong = |schemas: &str| {
        let schemas = crate::dataset::Schemas::read(schemas, "s").unwrap();
        let told = mapping.unknown(&schemas).into_iter();
        told.map(|one| format!("{}: {} ({})", one.place.line, one.message, one.help)).collect::<Vec<String>>()
    };
    assert_eq!(wrong("\"b.u1\" = [\"x\"]\n"), Vec::<String>::new());
    assert_eq!(
        wrong("\"a.u1\" = [\"A\", \"z\", \"c\", \"k\"]\n"),
        ["7: p.a.u1 has no column zz, as its schema says (did you mean `z`?)"]
    );
    let new = wrong("\"a.u2\" = [\"b\", \"y\", \"k\"]\n");
    assert_eq!(new.len(), 2, "{new:?}");
    assert!(new[0].starts_with("8: p.a.u2 has no column bb, as its schema says (did you mean `b`?)"), "{new:?}");
    assert!(new[1].starts_with("10: p.a.u2 has no column nope"), "{new:?}");
}

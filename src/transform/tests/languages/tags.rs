//! Tags of templates around code, of which only SQL has any, stay in pairs, and go with nothing but all of them.

use super::{compare, none_wrong};

#[test]
fn a_tag_does_not_go_without_its_other_half() {
    let delete = ".find(expr(\"old($$$X)\")).delete()";
    let drop = ".find(expr(\"old($X, $$$Y)\")).replace(\"newer($X)\").comments(\"drop\")";
    let moved = ".find(expr(\"old($X, $$$Y)\")).replace(\"newer($X)\").comments(\"move\")";
    let turned = ".find(\"select $$$X from t\").when(|m| m.X.nodes[0].text != \"b\").edit(|m, cx| edits([set_list(m.X, [m.X.nodes[1], m.X.nodes[0]])]))";
    let rows = [
        (delete, "select a {% if x %}, old(b) {% endif %} from t\n", "=take away the tag `{% endif %}`"),
        (delete, "select old(x) {% if x %}, b {% endif %} from t\n", "=take away the tag `{% if x %}`"),
        (delete, "select a from t group by old(x) {% if x %}, b{% endif %}\n", "=take away the tag `{% if x %}`"),
        (
            delete,
            "select a,\n  {% if x %}\n  old(x),\n  {% endif %}\n  b\nfrom t\n",
            "select a,\n  {% if x %}\n  {% endif %}\n  b\nfrom t\n",
        ),
        // What is whole in the code goes with it, and what the code itself says, too.
        (delete, "select a, old(x, {% if y %} y {% else %} z {% endif %}), b from t\n", "select a, b from t\n"),
        (delete, "select a, old(x {% set y = 1 %}), b from t\n", "=take away the tag `{% set y = 1 %}`"),
        (delete, "select a, old({{ x }}), b from t\n", "select a, b from t\n"),
        (delete, "select a, {{ x }} old(b), c from t\n", "select a, {{ x }} c from t\n"),
        (drop, "select old(a {# c #}, b) from t\n", "select newer(a) from t\n"),
        (drop, "select old(a, b {% if x %} + 1 {% endif %}) from t\n", "=which is code"),
        (drop, "select old(a, b {{ x }}) from t\n", "=which is code"),
        (moved, "select old(a {# c #}, b) from t\n", "{# c #}\nselect newer(a) from t\n"),
        (moved, "select old(a, b {% if x %} + 1 {% endif %}) from t\n", "=which is code"),
        (turned, "select a {% if x %}, b {% endif %} from t\n", "=lost its other half"),
    ];
    let mut wrong = Vec::new();
    for (rule, code, wanted) in rows {
        compare(&mut wrong, "sql", rule, code, wanted);
    }
    none_wrong(&wrong);
}

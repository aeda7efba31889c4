//! `pelton explain`: the plan as a tree, as a graph, and as a page in a real browser.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::browser::document;
use crate::harness::{Place, TRIAGE, text};

/// A record of the triage decision that has a decision.
const RECORD: &str = r#"{"id": 7, "name": "ann", "amount": 300.5, "items": 4, "seen": "2013-12-02 04:59:00", "since": "2013-12-02", "ok": true}"#;

/// A decision of which the output needs a part.
const PARTLY_NEEDED: &str = r#"
name   = "partly"
input  = "a INT, b INT, c INT"
output = "x + (2 * 3) AS x, limit_of AS high, gate.take AS take"
[features]
x        = "a + 1"
limit_of = "60 * 60"
unused   = "b + 1"
[rules.gate]
rows = [{ rule = "low", when = "x < limit_of", take = "TRUE", leave = "c = 1" }]
[rules.idle]
rows = [{ rule = "never", y = "b" }]
"#;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn explain(place: &Place, arguments: &[&str]) -> String {
    let output = place.pelton_with(["explain"].iter().chain(arguments).copied());
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[track_caller]
fn contains(whole: &str, parts: &[&str]) {
    for part in parts {
        assert!(whole.contains(part), "no {part:?} in\n{whole}");
    }
}

#[test]
fn the_tree_says_what_is_left_out_and_what_is_a_constant() {
    let place = Place::new();
    place.write("partly/decision.toml", PARTLY_NEEDED);
    let expected = "\
partly, not published
├─ record
│  ├─ a INT
│  ├─ b INT, not used
│  └─ c INT
├─ feature x INT
│  ├─ a + 1
│  └─ reads a INT
├─ feature limit_of INT = 3600, for every record
│  ├─ 60 * 60
│  └─ folded: 60 * 60 = 3600
├─ rules gate: the first rule that hits
│  ├─ rules
│  │  └─ low: x < limit_of
│  │     └─ gate.take = TRUE, gate.leave = c = 1
│  ├─ reads x INT, limit_of INT, c INT
│  └─ writes gate.take BOOLEAN
├─ output
│  ├─ columns
│  │  ├─ x: x + (2 * 3)
│  │  ├─ high: limit_of
│  │  └─ take: gate.take
│  ├─ folded: (2 * 3) = 6
│  ├─ reads x INT, limit_of INT, gate.take BOOLEAN
│  ├─ x INT
│  ├─ high INT = 3600, for every record
│  └─ take BOOLEAN
└─ left out: no output needs it
   ├─ input columns: b
   ├─ features: unused
   ├─ rules: idle
   └─ values of rules: gate.leave, gate.rule
";
    assert_eq!(explain(&place, &["partly"]), expected);
}

#[test]
fn lookups_and_models_come_with_key_signature_and_executor() {
    let place = Place::new();
    let decision = format!("{REPOSITORY}/models/metadata/decisions/arrival_delay");
    let tree = explain(&place, &[&decision]);
    contains(
        &tree,
        &[
            "arrival_delay, version 2\n",
            "lookup weather: weather by origin STRING, obs_hour TIMESTAMP(3)\n",
            "missing: NULL in every column\n",
            "obs_hour: FLOOR(sched_dep TO HOUR)\n",
            "writes plane.build_year INT, plane.engine STRING, plane.engines INT, plane.seats INT\n",
            "model delay: delay.onnx\n",
            "executor: TreeEnsembleClassifier",
            "input x: float [n, 21], NULL becomes NaN\n",
            "x[1]: per_mile\n",
            "output probabilities: float [n, 2]\n",
            "writes p_late FLOAT from probabilities[1]\n",
            "columns of lookups: plane.tailnum, plane.manufacturer",
        ],
    );
    let first = explain(&place, &[&decision, "--version", "1"]);
    contains(&first, &["arrival_delay, version 1\n"]);
}

#[test]
fn graphviz_draws_every_node_and_every_flow() {
    let place = Place::with_triage();
    let hostile = TRIAGE.replace("\"blank\"", "'a \"quoted\" \\l rule'");
    place.write("triage/decision.toml", &hostile);
    let graph = explain(&place, &["triage", "--dot"]);
    let mut dot = Command::new("dot");
    dot.args(["-Tplain"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut dot = dot
        .spawn()
        .unwrap_or_else(|cause| panic!("dot: {cause}; install it: sudo apt-get install graphviz"));
    dot.stdin
        .take()
        .unwrap()
        .write_all(graph.as_bytes())
        .unwrap();
    let output = dot.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "", "{graph}");
    let plain = text(&output.stdout);
    let count = |kind: &str| plain.lines().filter(|line| line.starts_with(kind)).count();
    // The record, `share`, `gate`, the output; the record goes to all, `share` and `gate` to the output.
    assert_eq!((count("node "), count("edge ")), (4, 5), "{plain}");
    contains(&graph, &["rankdir=LR", "shape=hexagon", "share INT\\l"]);
}

#[test]
fn the_page_shows_every_value_of_a_record_in_a_browser() {
    let place = Place::with_triage();
    explain(
        &place,
        &["triage", "--html", "page.html", "--record", RECORD],
    );
    let page = place.path("page.html");
    let overview = document(&page, "");
    contains(
        &overview,
        &[
            "<title>triage, not published</title>",
            "<section id=\"overview\">",
            "<section id=\"details-1\" class=\"feature\" hidden=\"\">",
            "<span>next_id <b>8</b></span>",
            "<span>upper_name <b>'ANN'</b></span>",
            "<span>fired_rule <b>'large'</b></span>",
        ],
    );
    // The rule that hits is marked, in the picture and in its details.
    let rules = document(&page, "node-2");
    contains(
        &rules,
        &[
            "<section id=\"details-2\" class=\"rules\">",
            "<section id=\"overview\" hidden=\"\">",
            "<svg viewBox",
            "class=\"chosen\"",
            "class=\"node rules found chosen near\"",
            "<p class=\"outcome found\">large</p>",
            "<td>nobody</td><td><code>name IS NULL</code>",
            "<code class=\"value\">FALSE</code>",
            "● large",
            "○ blank",
        ],
    );
}

#[test]
fn the_page_shows_lookups_keys_and_tensors_of_a_record() {
    let place = Place::new();
    let decision = format!("{REPOSITORY}/models/metadata/decisions/arrival_delay");
    let example = std::fs::read_to_string(format!(
        "{REPOSITORY}/models/arrival_delay/v2/examples.jsonl"
    ));
    let example = example.unwrap();
    let first: serde_json::Value = serde_json::from_str(example.lines().next().unwrap()).unwrap();
    let record = first["input"].to_string();
    explain(
        &place,
        &[&decision, "--html", "page.html", "--record", &record],
    );
    let page = place.read("page.html");
    let late = first["output"]["p_late"].as_f64().unwrap() as f32;
    contains(
        &page,
        &[
            "<td>x[1]</td><td><code>per_mile</code></td>",
            &format!(
                "<td>probabilities[1]</td><td><code></code></td><td><code class=\"value\">{late}</code></td>"
            ),
            "<p class=\"outcome found\">hit</p>",
            "<h3>Hive partition</h3><p>dt=2013-01-01</p>",
            "<td>plane.build_year</td><td>INT</td><td><code class=\"value\">2008</code></td>",
            "<td>weather.wind_gust</td><td>DOUBLE</td><td><code class=\"value null\">NULL</code></td>",
        ],
    );
    let unknown = record.replace("N715JB", "NOWHERE");
    explain(
        &place,
        &[&decision, "--html", "page.html", "--record", &unknown],
    );
    contains(
        &place.read("page.html"),
        &["<p class=\"outcome nothing\">miss</p>"],
    );
}

/// Values, names and expressions that would end a script, an attribute or an element.
#[test]
fn nothing_in_a_decision_or_a_record_becomes_html() {
    let place = Place::new();
    let evil = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">";
    let toml = r#"
name   = "evil"
input  = "`</svg><b id='owned'>` STRING"
output = "`</svg><b id='owned'>` || '</script><b id=owned>' AS `</title><b id=owned>`, gate.rule AS r"
[rules.gate]
rows = [{ rule = "</text></svg><b id=owned>", when = "'<!--' <> '-->'" }]
"#;
    place.write("evil/decision.toml", toml);
    let record = serde_json::json!({ "</svg><b id='owned'>": evil }).to_string();
    explain(
        &place,
        &["evil", "--html", "page.html", "--record", &record],
    );
    for fragment in ["", "node-0", "node-1", "node-2"] {
        let page = document(&place.path("page.html"), fragment);
        contains(
            &page,
            &[
                "<title>evil, not published</title>",
                "&lt;/script&gt;&lt;script&gt;",
            ],
        );
        for owned in ["<b id", "<img", "<title>owned"] {
            assert!(!page.contains(owned), "{owned:?} in\n{page}");
        }
        assert_eq!(page.matches("<script>").count(), 1);
    }
}

#[test]
fn a_page_is_one_file_and_asks_for_nothing() {
    let place = Place::with_triage();
    explain(&place, &["triage", "--html", "page.html"]);
    let page = place.read("page.html");
    for outside in ["http:", "https:", "//", "src=", "url(", "@import", "<link"] {
        let used = page
            .lines()
            .find(|line| line.contains(outside) && !line.trim_start().starts_with("// "));
        assert_eq!(used, None, "{outside}");
    }
    contains(&page, &["default-src 'none'", "prefers-color-scheme: dark"]);
}

#[test]
fn a_record_that_fails_is_shown_as_far_as_it_came() {
    let place = Place::with_triage();
    let record = RECORD.replace("\"items\": 4", "\"items\": 0");
    let output = place.pelton_with([
        "explain",
        "triage",
        "--html",
        "page.html",
        "--record",
        &record,
    ]);
    assert_eq!(output.status.code(), Some(1));
    contains(
        &text(&output.stderr),
        &["EVALUATION_FAILED", "feature `share`"],
    );
    let page = document(&place.path("page.html"), "");
    contains(
        &page,
        &[
            "class=\"node feature failed chosen near\"",
            "<section id=\"details-1\" class=\"feature\">",
            "<p class=\"outcome nothing\">not reached</p>",
            "EVALUATION_FAILED",
        ],
    );
}

#[test]
fn fields_of_a_record_that_are_unknown_missing_or_of_another_type_are_named_together() {
    let place = Place::with_triage();
    let record =
        r#"{"id": "x", "nam": "ann", "amount": 1, "items": 1, "seen": null, "since": null}"#;
    let output = place.pelton_with(["explain", "triage", "--record", record]);
    assert_eq!(output.status.code(), Some(1));
    contains(
        &text(&output.stderr),
        &[
            "pelton: ARGUMENT_MISMATCH: --record: ",
            "unknown field `nam`; did you mean `name`?",
            "`id` is \"x\"; expected",
            "`name` STRING is missing",
            "`ok` BOOLEAN is missing",
        ],
    );
    for (record, reason) in [("[1]", "expected an object"), ("{", "not JSON")] {
        let output = place.pelton_with(["explain", "triage", "--record", record]);
        contains(
            &text(&output.stderr),
            &["ARGUMENT_MISMATCH: --record: ", reason],
        );
    }
}

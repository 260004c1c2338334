use std::fmt::Write as _;
use std::io::Write as _;

/// What was measured: sections of tables.
pub struct Report {
    facts: Vec<(String, String)>,
    sections: Vec<Section>,
}

struct Section {
    title: String,
    note: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Report {
    /// A report about this machine.
    pub fn new(facts: Vec<(String, String)>) -> Self {
        Self {
            facts,
            sections: Vec::new(),
        }
    }

    /// Begins a table.
    pub fn section(&mut self, title: &str, note: &str, head: &[&str]) {
        self.sections.push(Section {
            title: title.into(),
            note: note.into(),
            head: head.iter().map(|cell| (*cell).into()).collect(),
            rows: Vec::new(),
        });
    }

    /// Adds a row to the last table, and shows it at once.
    pub fn row(&mut self, cells: Vec<String>) {
        let _ = writeln!(std::io::stderr(), "  {}", cells.join("  "));
        if let Some(section) = self.sections.last_mut() {
            section.rows.push(cells);
        }
    }

    /// The report as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "# Results\n\nMade by `bench/run`. Server and load share the cores; every pair was run alternately in one run. \
             Absolute figures belong to this machine, ratios travel better.\n\n",
        );
        for (name, value) in &self.facts {
            let _ = writeln!(text, "- {name}: {value}");
        }
        for section in &self.sections {
            let _ = write!(
                text,
                "\n## {}\n\n{}\n\n| {} |\n",
                section.title,
                section.note,
                section.head.join(" | ")
            );
            let _ = writeln!(text, "|{}", " --- |".repeat(section.head.len()));
            for row in &section.rows {
                let _ = writeln!(text, "| {} |", row.join(" | "));
            }
        }
        text
    }
}

/// Writes to stdout.
pub fn print(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A median with the range around it.
pub fn spread(values: &[f64], digits: usize) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!(
        "{:.digits$} ({low:.digits$}–{high:.digits$})",
        median(values.to_vec())
    )
}

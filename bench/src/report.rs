use std::fmt::{Display, Write as _};
use std::io::Write as _;

use anyhow::bail;

/// What was measured: sections of tables.
pub struct Report {
    facts: Vec<(String, String)>,
    sections: Vec<Section>,
    failures: Vec<String>,
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
            failures: Vec::new(),
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

    /// Adds a row of names and of what was measured for them; if that failed, the row and the end of the
    /// report say so, and those that follow are measured all the same.
    pub fn measured<E: Display>(&mut self, names: &[String], figures: Result<Vec<String>, E>) {
        let mut row = names.to_vec();
        match figures {
            Ok(figures) => row.extend(figures),
            Err(error) => {
                let section = self.sections.last();
                let (title, width) = section.map_or(("", 0), |section| (&section.title, section.head.len()));
                let failure = format!("{title}, row {}: {error:#}", names.join(", "));
                row.push("failed".into());
                row.resize(width.max(row.len()), "–".into());
                self.fail(failure);
            }
        }
        self.row(row);
    }

    /// Notes how a part ended: what it had measured until it failed stays.
    pub fn ended(&mut self, part: &str, result: anyhow::Result<()>) {
        let Err(error) = result else { return };
        let last = self.sections.last().map(|section| {
            let row = section.rows.len() + 1;
            format!(", in row {row} of “{}” or behind it", section.title)
        });
        self.fail(format!("{part}{}: {error:#}", last.unwrap_or_default()));
    }

    fn fail(&mut self, failure: String) {
        let _ = writeln!(std::io::stderr(), "  failed: {failure}");
        self.failures.push(failure);
    }

    /// An error that names what failed, if anything did.
    pub fn finish(self) -> anyhow::Result<()> {
        match self.failures.len() {
            0 => Ok(()),
            count => bail!("{count} failed:\n{}", self.failures.join("\n")),
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
        if !self.failures.is_empty() {
            text.push_str("\n## Failed\n\n");
        }
        for failure in &self.failures {
            let _ = writeln!(text, "- {failure}");
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

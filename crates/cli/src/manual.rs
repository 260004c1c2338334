use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::output::Output;

/// Examples of `completions`.
pub const COMPLETIONS_HELP: &str = "\
Examples:
  postbell completions bash > /etc/bash_completion.d/postbell
  postbell completions zsh > ~/.zfunc/_postbell
  postbell completions fish > ~/.config/fish/completions/postbell.fish";

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Folder to write the pages to; made if it is not there
    dir: PathBuf,
}

/// Prints the completions of a shell.
///
/// # Errors
///
/// The output cannot be written.
pub fn completions(args: &CompletionsArgs, output: &Output) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "postbell", &mut text);
    output.bytes(&text)
}

/// Writes `postbell.1`, `postbell-serve.1` and so on.
///
/// # Errors
///
/// The folder or a page cannot be written.
pub fn pages(args: &ManArgs, output: &Output) -> anyhow::Result<()> {
    fs::create_dir_all(&args.dir).with_context(|| format!("cannot make {}", args.dir.display()))?;
    let mut command = Cli::command();
    command.build();
    let count = write_pages(&command, &args.dir)?;
    output.line(&format!("{count} pages in {}", args.dir.display()))
}

fn write_pages(command: &clap::Command, dir: &Path) -> anyhow::Result<usize> {
    // Once built, a command's name for display has those of its parents: `postbell key create`.
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .replace(' ', "-");
    let mut page = Vec::new();
    let titled = command.clone().name(name.clone());
    clap_mangen::Man::new(titled)
        .render(&mut page)
        .context("cannot render a page")?;
    let path = dir.join(format!("{name}.1"));
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    let mut count = 1;
    for below in command
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
    {
        count += write_pages(below, dir)?;
    }
    Ok(count)
}
